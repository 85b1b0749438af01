<?php
// How does a CRM written in PHP sign a pass? Run it with the file of known passes: exit 0 if it makes the same.
declare(strict_types=1);

function pass(string $kid, string $key, array $claims): string
{
    $text = fn (string $raw): string => rtrim(strtr(base64_encode($raw), '+/', '-_'), '=');
    $json = fn (array $one): string => json_encode($one, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
    $signed = $text($json(['alg' => 'HS256', 'kid' => $kid, 'typ' => 'JWT'])) . '.' . $text($json($claims));
    return $signed . '.' . $text(hash_hmac('sha256', $signed, $key, true));
}

if (isset($argv[1])) {
    $known = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR);
    foreach ($known as $one) {
        $made = pass($one['kid'], hex2bin($one['key']), $one['claims']);
        echo $made, "\n";
        if ($made !== $one['pass']) {
            exit(1);
        }
    }
}

// How does a CRM written in C# sign a pass? (.NET 6 or later.) Its JSON may be written in any way: what is signed is what is sent.
using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

public static class EconomicPass
{
    public static string Make(string kid, byte[] key, IReadOnlyDictionary<string, object> claims)
    {
        var header = new Dictionary<string, string> { ["alg"] = "HS256", ["kid"] = kid, ["typ"] = "JWT" };
        string signed = Text(JsonSerializer.SerializeToUtf8Bytes(header)) + "." + Text(JsonSerializer.SerializeToUtf8Bytes(claims));
        return signed + "." + Signature(key, signed);
    }

    // Of the known passes: the third part is this, made of the first two.
    public static string Signature(byte[] key, string signed)
    {
        using (var hmac = new HMACSHA256(key))
        {
            return Text(hmac.ComputeHash(Encoding.ASCII.GetBytes(signed)));
        }
    }

    private static string Text(byte[] raw) => Convert.ToBase64String(raw).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}

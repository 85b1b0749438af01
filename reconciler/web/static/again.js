// A run that goes on by itself is shown as it goes: its part of the page is fetched again every few seconds, and swapped.
"use strict";
(() => {
  const id = "run";
  const look = async () => {
    const old = document.getElementById(id);
    if (!old || !old.dataset.again) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
        if (!fresh || !fresh.dataset.again || answer.redirected) { location.reload(); return; }
        if (!old.contains(document.activeElement)) old.replaceWith(fresh);
      }
    } catch {
      // the server is away for a moment: the next look comes anyway
    }
    setTimeout(look, Number(old.dataset.again) * 1000);
  };
  setTimeout(look, 2000);
})();

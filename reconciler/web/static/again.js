// What goes on by itself is shown as it goes: that part of the page is fetched again every few seconds, and swapped. Whoever is
// at something is left in peace: nothing under the focus is swapped, nothing filled in is lost, and all of it can be held still.
"use strict";
(() => {
  const run = () => document.getElementById("run");
  const still = document.querySelector("[data-still]");
  let timer = 0;
  let held = false;

  const changed = (one) =>
    one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked
    : one.type !== "hidden" && one.value !== (one.defaultValue ?? one.value);
  const isBusy = () =>
    (document.activeElement ?? document.body) !== document.body || [...document.querySelectorAll("main input, main textarea")].some(changed);

  function tell() {
    for (const one of document.querySelectorAll("[data-news]")) one.textContent = one.dataset.news;
    for (const one of document.querySelectorAll("[data-anew]")) one.hidden = false;
    if (still) still.hidden = still !== document.activeElement;
  }

  function plan() {
    clearTimeout(timer);
    const old = run();
    if (!held && old?.dataset.again) timer = setTimeout(look, Number(old.dataset.again) * 1000);
  }

  async function look() {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      const fresh = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run") : null;
      if (held) return;
      if (answer.ok && (answer.redirected || !fresh?.dataset.again)) {
        if (!isBusy()) { location.reload(); return; }
        const old = run();
        if (fresh && !answer.redirected && !old.contains(document.activeElement)) old.replaceWith(fresh);
        tell();
        return;
      }
      const old = run();
      if (fresh && old && !old.contains(document.activeElement)) old.replaceWith(fresh);
    } catch {
      // the server is away for a moment: the next look comes anyway
    }
    plan();
  }

  if (still) {
    still.hidden = false;
    still.addEventListener("click", () => {
      held = !held;
      still.setAttribute("aria-pressed", String(held));
      plan();
    });
  }
  plan();
})();

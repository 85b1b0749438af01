// Buttons that copy a value; without this script they are not there, and the value is selected and copied by hand.
"use strict";
for (const one of document.querySelectorAll("button[data-copy]")) {
  one.hidden = false;
  one.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(one.dataset.copy);
    } catch {
      return;
    }
    one.textContent = one.dataset.copied;
  });
}

// The button that acts on what is marked says how many that is, as boxes are ticked; without this it says what the page began with.
"use strict";
(() => {
  const language = document.documentElement.lang === "da" ? "da-DK" : "en-GB";
  const count = (button) => {
    const marked = button.form.querySelectorAll('input[type="checkbox"]:checked').length;
    const all = marked + Number(button.dataset.beyond);
    button.textContent = button.dataset.says.replace("{n}", new Intl.NumberFormat(language).format(all));
  };
  for (const button of document.querySelectorAll("button[data-says]")) {
    count(button);
    button.form.addEventListener("change", () => count(button));
  }
})();

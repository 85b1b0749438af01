// Every page of ours inside a page of the CRM has this: it says that it is there and how tall it is, and its forms and links carry
// the newest pass. A page whose pass did not hold asks for one, and leads on. Without this, each works for as long as its pass does.
"use strict";
const framed = (() => {
  const RENEWED = "#renewed";
  const { crm } = document.body.dataset;
  const again = document.querySelector("a[data-again]");
  let pass = new URLSearchParams(location.search).get("pass") ?? "";
  let hear = () => {};

  function tell(what) {
    if (parent !== window) parent.postMessage({ economic: what, height: document.documentElement.scrollHeight }, crm);
  }

  function carry() {
    for (const one of document.querySelectorAll("input[name=pass]")) one.value = pass;
    for (const one of document.querySelectorAll("a[href*='pass='], a[data-again]")) {
      const to = new URL(one.href);
      to.searchParams.set("pass", pass);
      one.href = to.href;
    }
  }

  // What was only asked for is asked for again by itself, once; what was pressed is not.
  function lead() {
    again.hidden = false;
    if ("itself" in again.dataset && location.hash !== RENEWED) location.replace(again.href + RENEWED);
    else tell("here");
  }

  addEventListener("message", (event) => {
    if (event.source !== parent || event.origin !== crm) return;
    if (event.data?.economic === "hello") tell("here");
    if (event.data?.economic === "pass" && typeof event.data.pass === "string") {
      pass = event.data.pass;
      carry();
      hear();
    }
  });
  if (again) {
    hear = lead;
    tell("pass");
  }
  tell("here");
  return { carry, tell, pass: () => pass, onPass: (does) => { hear = does; } };
})();

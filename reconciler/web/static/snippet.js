// For the CRM's page, which serves its own copy: it must work when our server is away. It keeps the place of the status,
// renews the pass while the page is open, and says so when the status cannot be shown.
//
//   <div data-economic-status data-pass="/economic/pass?customer=48211" lang="da">
//     <iframe src="https://.../widget?version=1.17&lang=da&pass=..." title="e-conomic" allow="clipboard-write"></iframe>
//   </div>
//   <script src="/economic/snippet.js" defer></script>
//
// `data-pass` is an address of the CRM that answers with a new pass for that customer, as plain text.
"use strict";
(() => {
  const AWAY = { da: "Status kan ikke vises lige nu", en: "The status cannot be shown right now" };
  const [HEIGHT, PATIENCE, ASK, RENEW, RETRY] = [96, 10000, 500, 8 * 60000, 30000];

  function start(box) {
    const frame = box.querySelector("iframe");
    const pages = new URL(frame.src).origin;
    const away = document.createElement("p");
    away.textContent = AWAY[box.lang === "en" ? "en" : "da"];
    away.setAttribute("role", "status");
    away.hidden = true;
    box.append(away);
    box.style.minHeight = `${HEIGHT}px`;
    frame.style.minHeight = `${HEIGHT}px`;
    let here = false;
    let since = 0;
    let timer = 0;

    const say = (words) => frame.contentWindow?.postMessage(words, pages);

    async function renewed() {
      const answer = await fetch(box.dataset.pass, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) throw new Error("no pass");
      return (await answer.text()).trim();
    }

    function shown(yes) {
      frame.hidden = !yes;
      away.hidden = yes;
    }

    function wait() {
      clearTimeout(timer);
      here = false;
      since = performance.now();
      ask();
    }

    // Until it says that it is there; an error page of the browser's says nothing.
    function ask() {
      if (here) return;
      if (performance.now() - since > PATIENCE) {
        shown(false);
        timer = setTimeout(again, RETRY);
        return;
      }
      say({ economic: "hello" });
      timer = setTimeout(ask, ASK);
    }

    async function again() {
      if (document.hidden) {
        timer = setTimeout(again, RETRY);
        return;
      }
      try {
        const to = new URL(frame.src);
        to.searchParams.set("pass", await renewed());
        frame.src = to.href;
      } catch {
        // the CRM itself cannot be reached: once more, later
      }
      wait();
    }

    async function renew() {
      try {
        say({ economic: "pass", pass: await renewed() });
      } catch {
        // the next time
      }
    }

    addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow || event.origin !== pages) return;
      if (event.data?.economic === "here") {
        here = true;
        clearTimeout(timer);
        shown(true);
        const border = frame.offsetHeight - frame.clientHeight;
        const height = Math.min(event.data.height, 2000) + border;
        // it only grows: what stands below does not jump about
        if (height > frame.offsetHeight) frame.style.height = `${height}px`;
      }
      if (event.data?.economic === "pass") renew();
      if (event.data?.economic === "reload") location.reload();
    });
    setInterval(() => document.hidden || renew(), RENEW);
    document.addEventListener("visibilitychange", () => document.hidden || renew());
    // whatever a press in the frame led to says anew that it is there
    frame.addEventListener("load", wait);
    wait();
  }

  for (const box of document.querySelectorAll("[data-economic-status]")) start(box);
})();

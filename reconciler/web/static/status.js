// How a customer stands, in the box beside it and on our own page of it: asks again while something is on its way, and shows what is
// told. It holds no texts and decides nothing: each answer is a piece of the page, made by the server. Without it, links and forms do.
"use strict";
(() => {
  const LOOKING = [300, 700, 1500, 3000, 5000, 10000];
  const [OFTEN, SELDOM, OFTEN_FOR, MOVING_FOR] = [1000, 5000, 15000, 135000];
  const [QUIET, QUIET_FOR, AWAY] = [30000, 600000, 60000];
  const TROUBLES = ["no_answer", "down", "throttled", "delayed"];

  const box = document.getElementById("status");
  const said = document.getElementById("said");
  const frame = typeof framed === "undefined" ? null : framed;

  const now = () => performance.now();
  const is = (name) => box.firstElementChild?.dataset[name] ?? "";
  const moves = () => ["sending", "creating"].includes(is("state"));
  let mark = box.dataset.etag;
  let began = now();
  let moving = null;
  let hidden = document.hidden ? now() : null;
  let expired = false;
  let timer = 0;
  let turn = 0;
  let told = "";

  // Milliseconds until the next question; none where there is nothing to wait for.
  function gap() {
    if (moves()) {
      moving ??= now();
      const passed = now() - moving;
      if (passed < OFTEN_FOR) return OFTEN;
      if (passed < MOVING_FOR) return SELDOM;
    } else {
      moving = null;
    }
    const passed = now() - began;
    const next = LOOKING.find((one) => one > passed);
    if (is("waits") && next !== undefined) return next - passed;
    return TROUBLES.includes(is("freshness")) && passed < QUIET_FOR ? QUIET : null;
  }

  function plan() {
    clearTimeout(timer);
    const wait = document.hidden ? null : gap();
    if (wait !== null) timer = setTimeout(() => ask(false), wait);
  }

  async function ask(look) {
    clearTimeout(timer);
    const mine = ++turn;
    const asked = new URL(box.dataset.ask);
    if (look) asked.searchParams.set("look", "true");
    const headers = { "if-none-match": mark };
    if (frame) headers.authorization = `Bearer ${frame.pass()}`;
    try {
      const answer = await fetch(asked, { headers, credentials: frame ? "omit" : "same-origin", cache: "no-store" });
      const text = answer.status === 200 ? await answer.text() : null;
      if (mine !== turn) return;
      if (text !== null) {
        mark = answer.headers.get("etag") ?? "";
        show(text);
      } else if (answer.status === 401 && !expired) {
        expired = true;
        frame?.tell("pass");
      }
    } catch {
      // we cannot be reached: what stands there stays, with its time
    }
    if (mine === turn) plan();
  }

  function show(text) {
    const held = box.contains(document.activeElement) ? document.activeElement : null;
    const made = new DOMParser().parseFromString(text, "text/html").body;
    if (box.querySelector("details[open]")) made.querySelector("details")?.setAttribute("open", "");
    box.replaceChildren(...made.childNodes);
    dress();
    if (held) {
      const same = (one) => one.textContent === held.textContent || held.matches("summary");
      [...box.querySelectorAll(held.tagName)].find(same)?.focus();
    }
    announce();
  }

  // What only works with this script is shown by it.
  function dress() {
    for (const one of box.querySelectorAll("[data-copy], [data-reload]")) one.hidden = false;
    frame?.carry();
    frame?.tell("here");
  }

  // Only a result is announced, and each once.
  function announce() {
    const asking = moves() || ["looking", "slow"].includes(is("freshness"));
    if (asking || (is("waits") && !TROUBLES.includes(is("freshness")))) return;
    const text = [...box.querySelectorAll(".line, .known")].map((one) => one.textContent.trim()).join(". ");
    if (text === told) return;
    told = text;
    said.textContent = text;
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return;
    }
    said.textContent = button.dataset.copied;
    button.textContent = button.dataset.copied;
  }

  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-reload]");
    if (button?.dataset.copy) copy(button);
    else if (button && frame) frame.tell("reload");
    else if (button) location.reload();
  });
  box.addEventListener("toggle", dress, true); // what is opened is taller; a toggle does not bubble
  box.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-compare]")) return;
    event.preventDefault();
    began = now();
    ask(true);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hidden = now();
      clearTimeout(timer);
      return;
    }
    const away = hidden === null ? 0 : now() - hidden;
    hidden = null;
    if (away > AWAY) {
      began = now();
      moving = null;
      ask(true);
    } else {
      ask(false);
    }
  });
  frame?.onPass(() => {
    if (expired) ask(false);
    expired = false;
  });

  if (!is("waits") && !moves()) told = [...box.querySelectorAll(".line, .known")].map((one) => one.textContent.trim()).join(". ");
  dress();
  plan();
})();

// One customer's page by keyboard, and what a save will write, said before it. Without this file the page works as plain forms.
"use strict";

const table = document.getElementById("details");
const form = document.getElementById("save");
const receipt = document.querySelector("section.receipt");
const OFF = "single-keys-off";

const rows = () => [...(table ? table.querySelectorAll("tbody[role=group]") : [])];
const chosen = (row) => row.querySelector("input[type=radio]:checked");
const unchosen = () => rows().filter((row) => "asks" in row.dataset && !chosen(row));
const radio = (row, value) => row.querySelector(`input[type=radio][value=${value}]`);
const shown = (row, side) => {
  const value = radio(row, side).closest("label").querySelector(".value").cloneNode(true);
  value.querySelectorAll(".hidden").forEach((one) => one.remove());
  return value.textContent.trim();
};
const typed = (row) => [...row.querySelectorAll("textarea")].map((one) => one.value.trim()).filter(Boolean).join(", ");

function gets(row) {
  const one = chosen(row);
  if (!one || one.value === "different") return {};
  if (one.value === "text") return { crm: typed(row), economic: typed(row) };
  return one.value === "crm" ? { economic: shown(row, "crm") } : { crm: shown(row, "economic") };
}

// What would always be done is shown of what is chosen.
function always(row) {
  for (const one of row.querySelectorAll("a[data-take]")) one.hidden = one.dataset.take !== chosen(row)?.value;
}

function tell() {
  const written = { crm: [], economic: [] };
  for (const row of rows()) {
    always(row);
    for (const [side, value] of Object.entries(gets(row))) written[side].push([row.dataset.detail, value]);
  }
  const said = document.getElementById("gets");
  for (const line of said.querySelectorAll("[data-side]")) {
    const details = written[line.dataset.side];
    const names = [...new Set(details.map(([name]) => name))].join(", ");
    line.hidden = details.length === 0;
    line.title = details.map(([name, value]) => `${name}: ${value}`).join("\n");
    line.querySelector("summary").textContent = line.dataset.text.replace("{}", names);
    line.querySelector("ul").replaceChildren(...details.map(([name, value]) => {
      const item = document.createElement("li");
      item.textContent = `${name}: ${value}`;
      return item;
    }));
  }
  said.hidden = !written.crm.length && !written.economic.length;
  const button = form.querySelector("button.main");
  button.dataset.neutral ??= button.textContent;
  const both = written.crm.length && written.economic.length;
  button.textContent = both ? form.dataset.both
    : written.economic.length ? form.dataset.economic : written.crm.length ? form.dataset.crm : button.dataset.neutral;
}

function focusOn(row) {
  (chosen(row) ?? row.querySelector("input[type=radio]")).focus();
}

function first() {
  const [row] = unchosen();
  if (!row) return false;
  document.getElementById("first").textContent = form.dataset.first.replace("{}", row.dataset.detail);
  focusOn(row);
  return true;
}

function choose(row, value) {
  const one = radio(row, value);
  if (!one) return;
  one.checked = true;
  tell();
  if (value === "text") {
    const box = row.querySelector("textarea");
    box.focus();
    box.select();
    return;
  }
  const after = rows();
  const [next] = after.slice(after.indexOf(row) + 1).concat(after).filter((other) => unchosen().includes(other));
  if (next) focusOn(next);
  else one.focus();
}

function single(key, row) {
  if (row && { 1: "crm", 2: "economic", 3: "text" }[key]) return () => choose(row, { 1: "crm", 2: "economic", 3: "text" }[key]);
  const go = (id) => document.getElementById(id) && (() => document.getElementById(id).click());
  if (key === "n" || key === "s") return go("next");
  if (key === "p") return go("previous");
  const undo = document.getElementById("undo");
  if (key === "u" && undo) return () => undo.requestSubmit();
  const help = document.getElementById("keys");
  if (key === "?" && help) return () => { help.open = true; help.querySelector("summary").focus(); };
  return null;
}

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  const within = (table && table.contains(at)) || (receipt && receipt.contains(at));
  if (event.key === "Enter" && event.ctrlKey && form && (within || form.contains(at))) {
    event.preventDefault();
    if (!first()) form.requestSubmit();
  } else if (event.key === "Escape" && at.matches("textarea") && table.contains(at)) {
    radio(at.closest("tbody"), "text").focus();
  } else if (within && !at.matches("textarea") && !event.ctrlKey && !event.altKey && !event.metaKey && !localStorage.getItem(OFF)) {
    const act = single(event.key.toLowerCase(), at.closest("tbody[role=group]"));
    if (act) {
      event.preventDefault();
      act();
    }
  }
});

if (form) {
  table.addEventListener("change", tell);
  table.addEventListener("input", (event) => {
    if (event.target.matches("textarea")) radio(event.target.closest("tbody"), "text").checked = true;
    tell();
  });
  document.querySelector("form.all")?.addEventListener("submit", (event) => {
    event.preventDefault();
    rows().forEach((row) => { radio(row, event.submitter.value).checked = true; });
    tell();
    form.querySelector("button.main").focus();
  });
  const off = document.getElementById("single");
  off.hidden = false;
  off.querySelector("input").checked = Boolean(localStorage.getItem(OFF));
  off.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  });
  tell();
}
if (receipt) document.getElementById("receipt").focus();
else if (unchosen().length) focusOn(unchosen()[0]);
// what waits is asked for again, and shown once when there is news, until both systems have it or ten minutes are over
if (receipt && "waits" in receipt.dataset) {
  const known = receipt.textContent;
  const since = Date.now();
  const again = async () => {
    const answer = await fetch(location.href).catch(() => null);
    const now = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("section.receipt");
    if (now && now.textContent !== known && !(form && rows().some(chosen))) location.reload();
    else if (Date.now() - since < 600000) setTimeout(again, Date.now() - since < 15000 ? 1000 : 5000);
  };
  setTimeout(again, 1000);
}

"use strict";

// The page: what is shown is written in the address after the #, so that it can be kept, sent and gone back to.
(() => {
  const PER_PAGE = 48;
  const CHOICES = ["status", "reason", "source"];
  const TYPING_MS = 200;
  const at = (id) => document.getElementById(id);
  const { cards, facts } = gallery;
  const number = (n) => n.toLocaleString("en");
  const several = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
  let turn = 0; // counts what was asked for, so that an answer that comes late is not shown
  let typing = 0;

  function state() {
    const given = new URLSearchParams(location.hash.slice(1));
    const read = (key) => given.get(key) || "";
    const page = Math.max(1, parseInt(read("page"), 10) || 1);
    return { view: read("view") === "pictures" ? "pictures" : "people", person: read("person"), status: read("status"), reason: read("reason"),
      source: read("source"), order: read("order"), page };
  }

  function address(changes, from = state()) {
    const wanted = { ...from, page: 1, ...changes };
    const kept = Object.entries(wanted).filter(([key, value]) => value && !(key === "page" && value === 1) && !(key === "view" && value === "people"));
    return `#${new URLSearchParams(kept)}`;
  }

  function go(changes) {
    location.hash = address(changes);
  }

  async function render(moved) {
    const now = state();
    const mine = ++turn;
    const left = gallery.select(now);
    const pictures = now.view === "pictures";
    const all = pictures ? left.numbers : sorted(left.people, now.order);
    const pages = Math.max(1, Math.ceil(all.length / PER_PAGE));
    const page = Math.min(now.page, pages);
    const shown = all.slice((page - 1) * PER_PAGE, page * PER_PAGE);
    let items = [];
    try {
      items = pictures
        ? (await gallery.fetchRows(shown)).map((row) => cards.picture(row, address({ view: "pictures", person: row.person.qid })))
        : shown.map((entry) => cards.person(entry, address({ view: "pictures", person: entry.person.qid })));
      if (mine !== turn) return;
      at("trouble").textContent = "";
    } catch (error) {
      if (mine !== turn) return;
      at("trouble").textContent = error.message;
    }
    showFilters(now, left);
    showHeading(now, left);
    at("list").className = now.view;
    at("list").replaceChildren(...items);
    showPages(now, page, pages);
    if (moved) {
      at("results").focus({ preventScroll: true });
      at("results").scrollIntoView({ block: "start" });
    }
  }

  function sorted(people, order) {
    const by = (status) => (entry) => entry.counts.get(status) || 0;
    const famous = (a, b) => b.person.fame - a.person.fame || a.person.at - b.person.at;
    if (order === "name") {
      const collator = new Intl.Collator("en");
      return people.sort((a, b) => collator.compare(a.person.name, b.person.name) || famous(a, b));
    }
    if (order === "fewest") return people.sort((a, b) => by("accepted")(a) - by("accepted")(b) || famous(a, b));
    if (order === "rejected") return people.sort((a, b) => by("rejected")(b) - by("rejected")(a) || famous(a, b));
    return people.sort(famous);
  }

  function showFilters(now, left) {
    if (document.activeElement !== at("person")) at("person").value = now.person;
    for (const axis of CHOICES) {
      const choices = [...left.choices[axis]].sort((a, b) => b[1] - a[1]);
      if (now[axis] && !left.choices[axis].has(now[axis])) choices.unshift([now[axis], 0]);
      const options = choices.map(([value, n]) => cards.element("option", { value, selected: value === now[axis] }, `${value} (${number(n)})`));
      at(axis).replaceChildren(cards.element("option", { value: "" }, "any"), ...options);
      at(axis).value = now[axis];
    }
    at("order").value = now.order;
    at("order-label").hidden = now.view !== "people";
    for (const view of ["people", "pictures"]) {
      at(`to-${view}`).href = address({ view });
      if (view === now.view) at(`to-${view}`).setAttribute("aria-current", "page"); else at(`to-${view}`).removeAttribute("aria-current");
    }
  }

  function showHeading(now, left) {
    const total = several(left.numbers.length, "picture", "pictures");
    const only = left.people.length === 1 ? left.people[0].person : null;
    const text = `${total} of ${several(left.people.length, "person", "people")}`;
    at("results").replaceChildren(...(only && now.person ? [`${total} of `, cards.bdi(only.name)] : [text]));
    at("announced").textContent = text;
    const about = [];
    if (only && now.person) about.push(cards.link(`https://www.wikidata.org/wiki/${only.qid}`, `${only.qid} on Wikidata`));
    const why = facts.meanings.get(now.reason);
    if (why) about.push(cards.element("span", {}, `${now.reason}: ${why}`));
    at("explained").replaceChildren(...about.flatMap((part, place) => (place ? [" · ", part] : [part])));
  }

  function showPages(now, page, pages) {
    at("pages").hidden = pages < 2;
    at("place").textContent = `${number(page)} of ${number(pages)}`;
    for (const [id, to] of [["previous", page - 1], ["next", page + 1]]) {
      if (to >= 1 && to <= pages) at(id).href = address({ page: to }); else at(id).removeAttribute("href");
    }
  }

  function showTotals() {
    const totals = new Map();
    facts.rows.forEach((kind) => totals.set(facts.kinds[kind].status, (totals.get(facts.kinds[kind].status) || 0) + 1));
    at("totals").replaceChildren(several(facts.people.length, "person", "people"), " · ", cards.counts(totals));
    at("written").textContent = facts.written.replace("T", " ").replace("+00:00", " UTC");
    at("written").dateTime = facts.written;
  }

  function listen() {
    for (const id of [...CHOICES, "order"]) at(id).addEventListener("change", () => go({ [id]: at(id).value }));
    at("person").addEventListener("input", () => {
      clearTimeout(typing);
      // Replaced while somebody types, so that going back does not go letter by letter.
      typing = setTimeout(() => { history.replaceState(null, "", address({ person: at("person").value })); render(false); }, TYPING_MS);
    });
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    at("filters").addEventListener("reset", (event) => {
      event.preventDefault();
      at("person").value = "";
      go({ person: "", status: "", reason: "", source: "", order: "" });
    });
    at("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the address says what is shown
      at("results").focus();
    });
    let before = state();
    addEventListener("hashchange", () => {
      const now = state();
      render(now.page !== before.page || now.view !== before.view);
      before = now;
    });
  }

  if (facts) {
    showTotals();
    listen();
    render(false);
  } else {
    at("results").textContent = "There is no data";
    at("trouble").textContent = "The folder with the data is missing: copy the whole folder, or write the page again.";
  }
})();

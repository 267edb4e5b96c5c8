"use strict";

// What the data files hold, and which rows a filter leaves. Touches the document only to load further data files.
const gallery = (() => {
  const KEPT_FILES = 200;
  const files = new Map(); // number of a data file -> promise of its rows, the latest used last
  const waiting = new Map(); // number -> {resolve, reject}
  let facts = null;

  // Called by data/overview.js.
  function overview(given) {
    const starts = new Uint32Array(given.people.length + 1);
    given.people.forEach((person, at) => { starts[at + 1] = starts[at] + person[3]; });
    facts = {
      written: given.written,
      filesAt: given.files,
      rowsPerFile: given.rows_per_file,
      statuses: given.statuses,
      meanings: new Map(Object.entries(given.meanings)),
      kinds: given.kinds.map(([status, reason, source]) => ({ status, reason, source })),
      people: given.people.map(([qid, name, fame, , face], at) => ({ at, qid, name, fame, face, folded: fold(name) })),
      rows: Uint32Array.from(given.rows),
      starts,
    };
    gallery.facts = facts;
  }

  // Called by data/rows-<number>.js.
  function rows(number, list) {
    waiting.get(number)?.resolve(list);
    waiting.delete(number);
  }

  function load(number) {
    const known = files.get(number);
    if (known) {
      files.delete(number);
      files.set(number, known);
      return known;
    }
    const loaded = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const fail = () => {
        waiting.delete(number);
        files.delete(number);
        reject(new Error("A part of the data is missing: the page was written anew meanwhile, or copied without it. Load it again."));
      };
      waiting.set(number, { resolve, reject });
      script.addEventListener("error", fail);
      script.addEventListener("load", () => { script.remove(); if (waiting.has(number)) fail(); });
      script.src = `${document.body.dataset.folder}/rows-${number}.js`;
      document.head.append(script);
    });
    files.set(number, loaded);
    if (files.size > KEPT_FILES) files.delete(files.keys().next().value);
    return loaded;
  }

  // Return the rows of these numbers, each with its person and kind.
  async function fetchRows(numbers) {
    const wanted = [...new Set(numbers.map((n) => Math.floor(n / facts.rowsPerFile)))];
    const lists = new Map(await Promise.all(wanted.map(async (file) => [file, await load(file)])));
    return numbers.map((n) => ({
      ...lists.get(Math.floor(n / facts.rowsPerFile))[n % facts.rowsPerFile],
      person: facts.people[personOf(n)],
      kind: facts.kinds[facts.rows[n]],
    }));
  }

  function personOf(row) {
    let low = 0;
    let high = facts.people.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (facts.starts[middle] <= row) low = middle; else high = middle - 1;
    }
    return low;
  }

  // Return the numbers of the rows that a filter leaves, counts by person, and what each choice of the filter would leave.
  function select(filter) {
    const kinds = facts.kinds.map((kind) => ({
      status: !filter.status || kind.status === filter.status,
      reason: !filter.reason || kind.reason === filter.reason,
      source: !filter.source || kind.source === filter.source,
    }));
    const chosen = kinds.map((fits) => fits.status && fits.reason && fits.source);
    const perKind = new Uint32Array(kinds.length);
    const fits = personFilter(filter.person);
    const numbers = [];
    const people = [];
    for (const person of facts.people) {
      if (!fits(person)) continue;
      const counts = new Map();
      for (let n = facts.starts[person.at]; n < facts.starts[person.at + 1]; n += 1) {
        const kind = facts.rows[n];
        perKind[kind] += 1;
        if (chosen[kind]) {
          numbers.push(n);
          const status = facts.kinds[kind].status;
          counts.set(status, (counts.get(status) || 0) + 1);
        }
      }
      if (counts.size) people.push({ person, counts });
    }
    const choices = { status: new Map(), reason: new Map(), source: new Map() };
    kinds.forEach((kind, at) => {
      for (const axis of ["status", "reason", "source"]) {
        const others = ["status", "reason", "source"].every((other) => other === axis || kind[other]);
        const value = facts.kinds[at][axis];
        if (others && value && perKind[at]) choices[axis].set(value, (choices[axis].get(value) || 0) + perKind[at]);
      }
    });
    return { numbers, people, choices };
  }

  function personFilter(text) {
    const wanted = fold(text || "");
    if (/^q[1-9][0-9]*$/.test(wanted)) return (person) => person.qid.toLowerCase() === wanted;
    return (person) => person.folded.includes(wanted);
  }

  function fold(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
  }

  return { overview, rows, fetchRows, select, facts };
})();

"use strict";
(() => {
  const data = JSON.parse(document.getElementById("counts").textContent);
  const place = document.getElementById("explorer");
  const make = (tag, parent, text) => {
    const element = parent.appendChild(document.createElement(tag));
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const whole = (value) => value.toLocaleString("en-US");
  const percent = (value) => {
    const digits = value > 0 && value < 0.01 ? 2 : value >= 0.9995 || value === 0 ? 0 : 1;
    return (100 * value).toFixed(digits) + "%";
  };
  const times = (value) => (value >= 999.5 ? ">999" : value >= 100 ? value.toFixed(0) : value.toFixed(value < 2 ? 2 : 1));
  const rate = (converted, of) => {
    const counts = whole(converted) + " of " + whole(of);
    if (!of) return counts;
    // Wilson's interval, of as many independent snapshots as these are worth.
    const z = 1.959963984540054, p = converted / of, n = of / data.design_effect;
    const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
    const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
    const low = converted === 0 ? 0 : Math.max(middle - half, 0), high = converted === of ? 1 : Math.min(middle + half, 1);
    return counts + ": " + percent(p) + " [" + percent(low) + ", " + percent(high) + "]";
  };
  const pair = (first, at, second, to) => {
    if (first > second) [first, at, second, to] = [second, to, first, at];
    const cells = data.pairs[first + "," + second], wide = data.columns[second].thresholds.length;
    const sum = (counts) => {
      let total = 0;
      for (let i = at; i < data.columns[first].thresholds.length; i++) {
        for (let j = to; j < wide; j++) total += counts[i * wide + j];
      }
      return total;
    };
    return cells.map(sum);
  };

  const chosen = (behaviour) => {
    const columns = data.behaviours[behaviour].columns;
    return columns.find((column) => data.columns[column].chosen !== null) ?? columns[0];
  };
  const begin = (behaviour) => ({ behaviour, column: chosen(behaviour), at: data.columns[chosen(behaviour)].chosen ?? 0 });
  const state = [begin(0), null];
  const keys = [["behaviour", "at_least", "window"], ["and", "and_at_least", "and_window"]];

  const restore = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    keys.forEach(([name, least, window], which) => {
      const behaviour = data.behaviours.findIndex((one) => one.name === asked.get(name));
      if (behaviour < 0 || (which && behaviour === state[0].behaviour)) return;
      const part = (state[which] = begin(behaviour));
      const column = data.behaviours[behaviour].columns.find((one) => data.columns[one].window === asked.get(window));
      if (column !== undefined) part.column = column;
      const at = data.columns[part.column].thresholds.indexOf(Number(asked.get(least)));
      part.at = at >= 0 ? at : Math.min(part.at, data.columns[part.column].thresholds.length - 1);
    });
  };
  const remember = () => {
    const said = new URLSearchParams();
    state.forEach((part, which) => {
      if (!part) return;
      const column = data.columns[part.column];
      said.set(keys[which][0], data.behaviours[part.behaviour].name);
      said.set(keys[which][1], column.thresholds[part.at]);
      said.set(keys[which][2], column.window);
    });
    history.replaceState(null, "", "#" + said);
  };

  place.textContent = "";
  const controls = make("div", place), table = make("table", place), command = make("p", place);
  const labelled = (row, text) => make("label", row, text + " ");
  const options = (select, texts, at) => {
    select.textContent = "";
    texts.forEach((text, index) => (make("option", select, text).value = String(index)));
    select.value = String(at);
  };
  const rows = keys.map((_, which) => {
    const row = make("p", controls);
    const behaviour = make("select", labelled(row, which ? "and" : "behaviour"));
    const threshold = make("input", labelled(row, "at least"));
    threshold.type = "range";
    threshold.min = "0";
    const least = make("output", row);
    const window = make("select", labelled(row, "window"));
    behaviour.onchange = () => {
      const number = Number(behaviour.value) - which;
      state[which] = number < 0 ? null : begin(number);
      if (!which && state[1] && state[1].behaviour === number) state[1] = null;
      changed();
    };
    threshold.oninput = () => ((state[which].at = Number(threshold.value)), changed());
    window.onchange = () => {
      const part = state[which], least = data.columns[part.column].thresholds[part.at];
      part.column = data.behaviours[part.behaviour].columns[Number(window.value)];
      const thresholds = data.columns[part.column].thresholds;
      part.at = Math.max(0, thresholds.filter((threshold) => threshold <= least).length - 1);
      changed();
    };
    return { behaviour, threshold, least, window };
  });

  const show = () => {
    const names = data.behaviours.map((one) => one.name);
    rows.forEach((row, which) => {
      const part = state[which];
      options(row.behaviour, which ? ["(no second criterion)", ...names] : names, part ? part.behaviour + which : 0);
      if (which) row.behaviour.options[state[0].behaviour + 1].disabled = true;
      row.threshold.disabled = row.window.disabled = !part;
      const columns = part ? data.behaviours[part.behaviour].columns : [];
      options(row.window, columns.map((column) => data.columns[column].window), part ? columns.indexOf(part.column) : 0);
      row.threshold.max = String(part ? data.columns[part.column].thresholds.length - 1 : 0);
      row.threshold.value = String(part ? part.at : 0);
      row.least.textContent = part ? whole(data.columns[part.column].thresholds[part.at]) : "";
    });
    const parts = state.filter((part) => part);
    const [met, converted] =
      parts.length > 1
        ? pair(parts[0].column, parts[0].at, parts[1].column, parts[1].at)
        : [data.columns[parts[0].column].met[parts[0].at], data.columns[parts[0].column].converted[parts[0].at]];
    const others = data.snapshots - met, rest = data.converted - converted;
    const own = data.columns[parts[0].column];
    const pace = parts.length === 1 && parts[0].at === own.chosen ? own.pqls_per_week : null;
    const written = parts.map((part) => data.columns[part.column].expressions[part.at]);
    const said = parts.map((part) => data.columns[part.column].words[part.at] + " " + data.columns[part.column].window);
    const figures = [
      ["snapshots that meet it and converted within " + data.window, rate(converted, met)],
      ["snapshots that do not", rate(rest, others)],
      ["relative risk", met && rest && others ? times(converted / met / (rest / others)) : "-"],
      ["share of snapshots that meet it", percent(met / data.snapshots)],
      ["recall at snapshots: of " + whole(data.converted) + " conversions", data.converted ? percent(converted / data.converted) : "-"],
      ["new PQLs in a median week, from qualifying", pace === null ? "counted by the command below" : whole(Math.round(pace))],
    ];
    table.textContent = "";
    make("caption", table, said.join(" and "));
    const body = make("tbody", table);
    figures.forEach(([label, figure]) => {
      const row = make("tr", body);
      make("th", row, label).scope = "row";
      make("td", row, figure).className = "figure";
    });
    const quoted = "'" + written.join(" and ").replaceAll("'", "'\\''") + "'";
    command.textContent = written.includes(null) ? "" : data.command + " " + quoted;
  };
  const changed = () => (show(), remember());
  onhashchange = () => (restore(), show());
  restore();
  show();
})();

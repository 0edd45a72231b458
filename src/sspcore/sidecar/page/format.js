// How values look: numbers line up, times are short, nothing is rounded without the whole value in the tooltip.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?$/;

export const count = (value) => grouped.format(value);
export const titled = (name) => name.replace(/[_-]+/g, " ").replace(/^./, (first) => first.toUpperCase());

/** Which columns hold numbers only, judged by the rows at hand. */
export function numeric(columns, rows) {
  const seen = columns.map(() => 0);
  const wrong = columns.map(() => false);
  for (const values of rows) {
    values.forEach((value, at) => {
      if (value === null) return;
      if (typeof value === "number" || (typeof value === "string" && /^-?\d{16,}$/.test(value))) seen[at] += 1;
      else wrong[at] = true;
    });
  }
  return columns.map((_, at) => seen[at] > 0 && !wrong[at]);
}

/** Decimals to show in each column: none where all are whole, else the fewest (at most 2) that tell values apart. */
export function decimals(columns, rows) {
  const shown = columns.map(() => 0);
  for (const values of rows) {
    values.forEach((value, at) => {
      if (typeof value === "number" && !Number.isInteger(value)) {
        shown[at] = Math.max(shown[at], Number.isInteger(Math.round(value * 1e9) / 1e8) ? 1 : 2);
      }
    });
  }
  return shown;
}

/** Fill a cell. */
export function fill(cell, value, places) {
  cell.className = "";
  cell.title = "";
  if (value === null || value === undefined) {
    cell.className = "null";
    cell.textContent = "–";
  } else if (typeof value === "number") {
    const text = Number.isInteger(value) && places === 0
      ? (Math.abs(value) >= 10000 ? grouped.format(value) : String(value))
      : value.toFixed(places);
    cell.textContent = text.replace(/^-/, "−");
    if (String(value) !== text) cell.title = String(value);
  } else if (typeof value === "boolean") {
    cell.textContent = value ? "✓" : "✗";
  } else if (typeof value === "string") {
    fillText(cell, value);
  } else {
    cell.className = "nested";
    cell.textContent = cell.title = JSON.stringify(value);
  }
}

function fillText(cell, value) {
  const time = TIME.exec(value);
  if (time === null) {
    cell.textContent = value.length > 400 ? `${value.slice(0, 400)}…` : value;
    if (value.length > 30) cell.title = value.slice(0, 2000);
    return;
  }
  const date = document.createElement("small");
  date.textContent = `${time[1]} `;
  const seconds = time[3] && (time[3] !== "00" || time[4]) ? `:${time[3]}` : "";
  cell.replaceChildren(date, `${time[2]}${seconds}`);
  cell.className = "time";
  cell.title = value;
}

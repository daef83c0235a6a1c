/** Values of figures as people read them. */

/** A number with as many digits as tell it apart; a time without its zeros; anything else as text. */
export function readable(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") {
    if (Number.isInteger(value)) return value.toLocaleString();
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e12)) return value.toExponential(3);
    return Number(value.toPrecision(5)).toLocaleString(undefined, { maximumFractionDigits: 8 });
  }
  if (typeof value === "string") {
    return /^\d{4}-\d\d-\d\dT/.test(value) ? value.slice(0, 16).replace("T", " ") : value;
  }
  if (typeof value === "object") return "isNan" in value ? "NaN" : JSON.stringify(value);
  return JSON.stringify(value);
}

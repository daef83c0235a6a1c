/** A measured figure with as many digits as are worth comparing. */
export function figure(value: number | null): string {
  if (value === null) return "–";
  return Number(value.toPrecision(6)).toLocaleString(undefined, { maximumFractionDigits: 6 });
}

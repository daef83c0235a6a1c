/** The first figures in words, such as "Mean Absolute Error 1,891". */
export function figures(metrics: Readonly<Record<string, number | null>>, most: number): string {
  return Object.entries(metrics)
    .filter(([, value]) => value !== null)
    .slice(0, most)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${figure(value ?? 0)}`)
    .join(" · ");
}

export function figure(value: number): string {
  return Number(value.toPrecision(5)).toLocaleString(undefined, { maximumFractionDigits: 5 });
}

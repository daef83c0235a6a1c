import { useText } from "../text/useText";
import classes from "./look.module.css";

interface Props {
  readonly title: string;
  readonly classes: readonly string[];
  /** A row for each actual class. */
  readonly counts: readonly (readonly number[])[];
}

/** How often each class was taken for each other. */
export function ConfusionMatrix({ title, classes: names, counts }: Props) {
  const text = useText();
  const most = Math.max(...counts.flat(), 1);
  return (
    <table className={classes.matrix}>
      <caption>{title}</caption>
      <thead>
        <tr>
          <td>{`${text.actual} ↓ ${text.predicted} →`}</td>
          {names.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {counts.map((row, actual) => (
          <tr key={names[actual] ?? actual}>
            <th scope="row">{names[actual]}</th>
            {row.map((count, predicted) => (
              <td
                key={names[predicted] ?? predicted}
                data-right={actual === predicted || undefined}
                style={{ "--share": String((count / most) * 0.5) } as React.CSSProperties}
              >
                {count.toLocaleString()}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import { Failure } from "./Failure";

interface Props {
  readonly title: string;
  readonly error: Error & { readonly remedy?: string };
  /** Said when the error has no words of its own. */
  readonly otherwise: string;
  readonly again?: { readonly label: string; readonly act: () => void } | undefined;
}

/** An error as the server tells it, or that the server is silent. */
export function Refusal({ title, error, otherwise, again }: Props) {
  return (
    <Failure
      title={title}
      message={error.message || otherwise}
      {...(error.remedy ? { remedy: error.remedy } : {})}
      {...(again ? { again } : {})}
    />
  );
}

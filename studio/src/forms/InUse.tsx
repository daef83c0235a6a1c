import { isInUse } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

interface Props {
  readonly error: Error;
  onAnyway(): void;
}

/** Why something was not deleted; what is only in use may be deleted all the same. */
export function InUse({ error, onAnyway }: Props) {
  const text = useText();
  const used = isInUse(error);
  return (
    <Refusal
      title={used ? text.dataInUse : text.somethingWrong}
      error={error}
      otherwise={text.offline}
      again={used ? { label: text.dataDeleteAnyway, act: onAnyway } : undefined}
    />
  );
}

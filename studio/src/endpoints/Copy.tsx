import { Button, CopyButton } from "@mantine/core";
import { useText } from "../text/useText";

/** Copies a text. */
export function Copy({ value }: { readonly value: string }) {
  const text = useText();
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button size="compact-xs" variant="default" onClick={copy}>
          {copied ? text.copied : text.copy}
        </Button>
      )}
    </CopyButton>
  );
}

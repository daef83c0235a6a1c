import { Alert, Button } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";

interface Props {
  readonly title: string;
  readonly message: string;
  readonly remedy?: string;
  readonly again?: { readonly label: string; readonly act: () => void };
}

/** What happened, and what to do. */
export function Failure({ title, message, remedy, again }: Props) {
  return (
    <Alert color="red" icon={<IconAlertCircle />} title={title} variant="light" role="alert">
      {message} {remedy}
      {again && (
        <Button mt="sm" size="xs" variant="default" onClick={again.act}>
          {again.label}
        </Button>
      )}
    </Alert>
  );
}

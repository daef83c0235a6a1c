import { Anchor, List, Text } from "@mantine/core";
import { Link } from "react-router";

interface Use {
  readonly kind: "draft" | "run" | "endpoint";
  readonly id: string;
  readonly title: string;
}

interface Props {
  readonly uses: readonly Use[];
  /** What each kind is called. */
  readonly kinds: Readonly<Record<Use["kind"], string>>;
  /** Said when there are none. */
  readonly none: string;
}

const PLACES = { draft: "/drafts/", run: "/runs/", endpoint: "/endpoints/" } as const;

/** What uses something, each with the way there. */
export function Users({ uses, kinds, none }: Props) {
  if (uses.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {none}
      </Text>
    );
  }
  return (
    <List size="sm" spacing={4}>
      {uses.map((use) => (
        <List.Item key={`${use.kind} ${use.id}`}>
          {kinds[use.kind]}:{" "}
          <Anchor component={Link} to={`${PLACES[use.kind]}${use.id}`} size="sm">
            {use.title}
          </Anchor>
        </List.Item>
      ))}
    </List>
  );
}

import { ActionIcon, Button, Group, Indicator, Popover, Text, Tooltip } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { useLanguage, useText } from "../text/useText";
import { useNotices } from "./notices";
import { useNews } from "./useNews";
import classes from "./Shell.module.css";

/** The bell: what happened while one looked elsewhere. */
export function NoticeCentre() {
  const text = useText();
  const language = useLanguage((s) => s.language);
  const { notices, readAll, clear } = useNotices();
  const [opened, setOpened] = useState(false);
  useNews();
  const fresh = notices.filter((notice) => !notice.read).length;
  const label = fresh > 0 ? `${text.notices}: ${text.noticesNew(fresh)}` : text.notices;
  const when = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" });
  return (
    <Popover
      opened={opened}
      onChange={(open) => {
        setOpened(open);
        if (!open) readAll();
      }}
      position="bottom-end"
      width={360}
      trapFocus
      shadow="md"
    >
      <Popover.Target>
        <Tooltip label={label} disabled={opened}>
          <Indicator disabled={fresh === 0} size={8} offset={5} color="red">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={label}
              onClick={() => {
                if (opened) readAll();
                setOpened(!opened);
              }}
            >
              <IconBell size={18} />
            </ActionIcon>
          </Indicator>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <Group justify="space-between" mb={6}>
          <Text size="sm" fw={600}>
            {text.notices}
          </Text>
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            disabled={notices.length === 0}
            onClick={clear}
          >
            {text.noticesClear}
          </Button>
        </Group>
        {notices.length === 0 ? (
          <Text size="sm" c="dimmed" pb={6}>
            {text.noticesNone}
          </Text>
        ) : (
          <ul className={classes.notices}>
            {notices.map((notice) => (
              <li key={notice.id} data-tone={notice.tone} data-read={notice.read || undefined}>
                {notice.to === null ? (
                  notice.title
                ) : (
                  <Link
                    to={notice.to}
                    onClick={() => {
                      setOpened(false);
                      readAll();
                    }}
                  >
                    {notice.title}
                  </Link>
                )}
                <time dateTime={notice.at}>{when.format(new Date(notice.at))}</time>
              </li>
            ))}
          </ul>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

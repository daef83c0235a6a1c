import { Button, Menu, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconChevronDown, IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { saveFile } from "../api/saveFile";
import { useText } from "../text/useText";

interface Props {
  /** Where the server writes it; the format is added. */
  readonly address: string;
}

const FORMATS = ["zip", "onnx"] as const;

/** Takes away what scores: a package that runs by itself, or ONNX. */
export function ExportMenu({ address }: Props) {
  const text = useText();
  const save = useMutation({
    mutationFn: (format: string) =>
      saveFile(`${address}${address.includes("?") ? "&" : "?"}format=${format}`),
    onError: (error) => {
      notifications.show({
        color: "red",
        autoClose: false,
        title: text.exportFailed,
        message: `${error.message || text.offline} ${"remedy" in error ? String(error.remedy) : ""}`,
      });
    },
  });
  return (
    <Menu position="bottom-end" width={340}>
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          rightSection={<IconChevronDown size={13} />}
          loading={save.isPending}
        >
          {text.exportIt}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map((format) => (
          <Menu.Item
            key={format}
            onClick={() => {
              save.mutate(format);
            }}
          >
            {text.exportFormats[format].title}
            <Text size="xs" c="dimmed">
              {text.exportFormats[format].hint}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

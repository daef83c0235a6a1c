import { Center, Loader } from "@mantine/core";

export function Waiting() {
  return (
    <Center h="100%" mih={160}>
      <Loader size="sm" />
    </Center>
  );
}

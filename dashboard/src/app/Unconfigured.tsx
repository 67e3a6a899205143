import { Center, Stack, Text, Title } from "@mantine/core";

/** Nothing can be asked for without /config.json: somebody has to mend the installation. */
export function Unconfigured() {
  return (
    <Center h="100vh" p="md" component="main">
      <Stack gap="xs" maw={480}>
        <Title order={1} size="h2">Nofy cannot start here</Title>
        <Text>
          This page did not find <code>/config.json</code>, which says where people sign in. The deploy of the web stack
          writes it; reload when it is there.
        </Text>
      </Stack>
    </Center>
  );
}

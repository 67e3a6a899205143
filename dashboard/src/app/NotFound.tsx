import { Center, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

export function NotFound() {
  return (
    <Center h="60vh" p="md" component="main">
      <Stack gap="xs" align="center">
        <Title order={1} size="h2">There is no such page</Title>
        <Text>The address may be mistyped, or belong to a project that you are not a member of.</Text>
        <Link to="/">Your projects</Link>
      </Stack>
    </Center>
  );
}

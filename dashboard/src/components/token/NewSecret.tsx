import { Alert, Stack } from "@mantine/core";

import { Copyable } from "@/components/Copy";

/** A secret that is shown this once. */
export function NewSecret({ value, label, children }: { value: string; label: string; children: React.ReactNode }) {
  return (
    <Alert color="green" variant="light" role="status">
      <Stack gap="xs">
        <span>{children}</span>
        <Copyable value={value} label={label} />
      </Stack>
    </Alert>
  );
}

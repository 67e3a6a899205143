import { Group, Stack, Text, Title } from "@mantine/core";
import { CheckIcon } from "@radix-ui/react-icons";

import classes from "@/features/start/start.module.css";

/** One step, which ticks itself off. */
export function Step({ number, title, done, summary, children }: {
  number: number;
  title: string;
  done: boolean;
  summary: React.ReactNode;
  children: React.ReactNode;
}) {
  return (
    <section className={classes.step} aria-label={title}>
      <Group align="flex-start" wrap="nowrap" gap="md">
        <span className={classes.mark} data-done={done || undefined} role="img" aria-label={done ? "done" : `step ${number}`}>
          {done ? <CheckIcon /> : number}
        </span>
        <Stack gap="sm" flex={1} miw={0}>
          <Stack gap={2}>
            <Title order={2} size="h4">{title}</Title>
            <Text size="sm" c="dimmed" component="div">{summary}</Text>
          </Stack>
          {children}
        </Stack>
      </Group>
    </section>
  );
}

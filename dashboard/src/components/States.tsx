/** Nothing yet, nothing at all, or something wrong: each says what to do next. */

import { Alert, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

import { ApiProblem } from "@/api/problem";

export function Loading({ rows = 6, label }: { rows?: number; label: string }) {
  return (
    <Stack gap="sm" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={32} />
      ))}
    </Stack>
  );
}

export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py={64} px="md">
      <Title order={2} size="h4">{title}</Title>
      <Text c="dimmed" ta="center" maw={440}>{children}</Text>
      {action}
    </Stack>
  );
}

export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  return (
    <Alert color="red" title={problem?.message ?? "Something went wrong on this page"} role="alert">
      <Stack gap="xs">
        <Text size="sm">{problem ? whatNext(problem) : String(error)}</Text>
        <Group gap="sm">
          {again && <Button size="xs" variant="light" color="red" onClick={again}>Try again</Button>}
          {problem?.requestId && <Text size="xs" c="dimmed">Request {problem.requestId}</Text>}
        </Group>
      </Stack>
    </Alert>
  );
}

export function whatNext(problem: ApiProblem): string {
  if (problem.code === "forbidden") return "Your role in this project does not allow it. An admin or owner can change that.";
  if (problem.status === 404) return "It does not exist, or belongs to another project.";
  if (problem.status === 429) return `Too many requests. Try again in ${problem.retryAfter ?? 1} s.`;
  if (problem.status >= 500) return "Nothing was changed. It is tried again by itself; if it stays, tell whoever runs Nofy.";
  return problem.detail ?? problem.fields.map((each) => `${each.path}: ${each.message}`).join("; ");
}

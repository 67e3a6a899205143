import "@mantine/core/styles/NumberInput.css";

import { Group, NumberInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { body } from "@/api/client";
import { allAtFields, fieldErrors } from "@/api/problem";
import { useAct } from "@/app/act";
import { type Project, useMay, useProjectScope } from "@/app/project";
import { GuardedButton } from "@/components/GuardedButton";
import { Problem } from "@/components/States";

const POINTERS = { name: "/name", retention_days: "/retention_days" };

export function General({ project }: { project: Project }) {
  const { projectId, api } = useProjectScope();
  const may = useMay()("project:update");
  const form = useForm({ initialValues: { name: project.name, retention_days: project.retention_days } });
  const saving = useAct({
    does: (change: { name?: string; retention_days?: number }) =>
      body(api.PATCH("/v1/projects/{project_id}", { params: { path: { project_id: projectId } }, body: change })),
    changes: [[projectId, "project"], ["projects"]],
    told: "Saved",
    then: () => form.resetDirty(),
  });
  const submit = ({ name, retention_days: days }: typeof form.values) => saving.mutate(
    { ...(form.isDirty("name") && { name: name.trim() }), ...(form.isDirty("retention_days") && { retention_days: days }) },
    { onError: (error) => form.setErrors(fieldErrors(error, POINTERS)) },
  );
  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        <TextInput label="Name" maxLength={70} disabled={!may} {...form.getInputProps("name")} />
        <NumberInput
          label="Content is kept for" description="Counted from a notification's end; then its recipient and text are erased" suffix=" days"
          min={1} clampBehavior="none" allowDecimal={false} disabled={!may} maw={320} {...form.getInputProps("retention_days")}
        />
        {saving.isError && !allAtFields(saving.error, POINTERS) && <Problem error={saving.error} />}
        <Group justify="flex-end">
          <GuardedButton type="submit" allowed={may} reason="Admins and owners change the project." disabled={may && !form.isDirty()} loading={saving.isPending}>Save</GuardedButton>
        </Group>
      </Stack>
    </form>
  );
}

import "@mantine/core/styles/RadioIndicator.css";
import "@mantine/core/styles/Radio.css";

import { Button, Group, Radio, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { allAtFields, fieldErrors } from "@/api/problem";
import { useMay } from "@/app/project";
import { Problem } from "@/components/States";
import { NewSecret } from "@/components/token/NewSecret";
import { type CreatedInvitation, type Role, useInvite } from "@/features/members/queries";
import { ROLES } from "@/features/members/roles";

const POINTERS = { email: "/email", role: "/role" };

export function Invite({ onDone }: { onDone: () => void }) {
  const inviting = useInvite();
  const owners = useMay()("owners:manage");
  const form = useForm<{ email: string; role: Role }>({ initialValues: { email: "", role: "developer" } });
  if (inviting.data) return <Made invitation={inviting.data} onDone={onDone} />;
  const submit = ({ email, role }: typeof form.values) => inviting.mutate(
    { role, ...(email.trim() && { email: email.trim() }) },
    { onError: (error) => form.setErrors(fieldErrors(error, POINTERS)) },
  );
  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack>
        <TextInput
          label="E-mail address" type="email" placeholder="grace@example.com" data-autofocus
          description="With an address nobody else can accept; without one, whoever has the link can" {...form.getInputProps("email")}
        />
        <Radio.Group label="Role" {...form.getInputProps("role")}>
          <Stack gap="xs" mt={4}>
            {ROLES.filter((each) => owners || each.value !== "owner").map(({ value, label, about }) => (
              <Radio key={value} value={value} label={label} description={about} />
            ))}
          </Stack>
        </Radio.Group>
        {inviting.isError && !allAtFields(inviting.error, POINTERS) && <Problem error={inviting.error} />}
        <Group justify="flex-end"><Button type="submit" loading={inviting.isPending}>Make the invitation</Button></Group>
      </Stack>
    </form>
  );
}

function Made({ invitation, onDone }: { invitation: CreatedInvitation; onDone: () => void }) {
  // A path alone where the API does not know the dashboard's address: this page does.
  const link = new URL(invitation.link, window.location.origin).href;
  return (
    <Stack>
      <NewSecret value={link} label="link">Send this link to whom it is for. It is shown this once, and opens the project once.</NewSecret>
      <Text size="sm">
        {invitation.sent_by_email ? `It is on its way to ${invitation.email ?? "them"} by e-mail as well.` : "It was not sent by e-mail."}
      </Text>
      <Group justify="flex-end"><Button onClick={onDone} data-autofocus>Done</Button></Group>
    </Stack>
  );
}

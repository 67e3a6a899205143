import "@mantine/core/styles/Card.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { ActionIcon, Badge, Button, Card, Group, Menu, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { DotsHorizontalIcon, PlusIcon } from "@radix-ui/react-icons";
import { useState } from "react";

import { useMay, useProject } from "@/app/project";
import { channelName } from "@/components/badges";
import { GuardedButton } from "@/components/GuardedButton";
import { Facts } from "@/components/integration/Facts";
import { AddIntegration, EditIntegration, RotateCredential } from "@/components/integration/IntegrationForm";
import { type Channel, CHANNELS, type Integration, useChangeIntegration, useIntegrations } from "@/components/integration/queries";
import { toldCheck, toldSettings } from "@/components/integration/settings";
import { Page } from "@/components/Page";
import { Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import { RemoveIntegration } from "@/features/integrations/RemoveIntegration";

/** What is open over the page. */
type Dialog = { what: "add"; channel: Channel } | { what: "edit" | "rotate" | "remove"; integration: Integration };

const ADD_REASON = "Admins and owners add and change integrations.";

export function IntegrationsPage() {
  const integrations = useIntegrations();
  const [dialog, setDialog] = useState<Dialog>();
  return (
    <Page title="Integrations" about="The accounts that messages are sent with. Credentials are checked with the provider, sealed, and never shown again.">
      {integrations.isPending && <Loading label="Loading integrations" />}
      {integrations.isError && <Problem error={integrations.error} again={() => void integrations.refetch()} />}
      {integrations.isSuccess && CHANNELS.map((channel) => (
        <OfChannel
          key={channel} channel={channel} open={setDialog}
          integrations={integrations.data.filter((each) => each.channel === channel)}
        />
      ))}
      {dialog && <Dialogs dialog={dialog} close={() => setDialog(undefined)} integrations={integrations.data ?? []} />}
    </Page>
  );
}

function OfChannel({ channel, integrations, open }: { channel: Channel; integrations: Integration[]; open: (dialog: Dialog) => void }) {
  const may = useMay()("integrations:manage");
  const { isSuccess: known } = useProject();
  const name = channelName(channel);
  return (
    <Stack component="section" gap="xs" aria-label={name}>
      <Group justify="space-between">
        <Title order={2} size="h4">{name}</Title>
        <GuardedButton
          allowed={may || !known} reason={ADD_REASON} size="xs" variant="light" leftSection={<PlusIcon />} aria-label={`Add ${name}`}
          onClick={() => open({ what: "add", channel })}
        >
          Add
        </GuardedButton>
      </Group>
      {integrations.length === 0
        ? <Card withBorder py="sm"><Text size="sm" c="dimmed">Nothing can be sent by {name} yet.{may ? " Add the account to send with." : ` ${ADD_REASON}`}</Text></Card>
        : <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">{integrations.map((each) => <IntegrationCard key={each.id} integration={each} open={open} />)}</SimpleGrid>}
    </Stack>
  );
}

function IntegrationCard({ integration, open }: { integration: Integration; open: (dialog: Dialog) => void }) {
  const may = useMay()("integrations:manage");
  return (
    <Card component="article" withBorder aria-label={integration.name}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Group gap="xs" miw={0}>
            <Text fw={600} className="address">{integration.name}</Text>
            {integration.default && <Badge variant="outline" color="gray" tt="none">default</Badge>}
            <Health integration={integration} />
          </Group>
          {may && <Actions integration={integration} open={open} />}
        </Group>
        {integration.held && (
          <Group gap="sm">
            <Text size="sm">The provider refused this credential. Deliveries wait, and go on by themselves with a new one.</Text>
            {may && <Button size="compact-sm" variant="light" color="orange" onClick={() => open({ what: "rotate", integration })}>Replace credential</Button>}
          </Group>
        )}
        <Facts
          facts={[
            ...toldSettings(integration),
            ...toldCheck(integration.credential.checked),
            ["Credential", <span key="hint"><code>{integration.credential.hint}</code>{integration.credential.version > 1 && `, version ${integration.credential.version}`}</span>],
            ["Changed", <Time key="changed" at={integration.changed_at} />],
          ]}
        />
      </Stack>
    </Card>
  );
}

function Health({ integration }: { integration: Integration }) {
  return integration.held
    ? <Badge color="orange" variant="light" tt="none" leftSection={<span aria-hidden>‖</span>}>held</Badge>
    : <Badge color="green" variant="light" tt="none" leftSection={<span aria-hidden>✓</span>}>working</Badge>;
}

function Actions({ integration, open }: { integration: Integration; open: (dialog: Dialog) => void }) {
  const preferring = useChangeIntegration(integration.id, `${channelName(integration.channel)} is sent with ${integration.name} from now on`);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${integration.name}`} loading={preferring.isPending}><DotsHorizontalIcon /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => open({ what: "edit", integration })}>Edit settings</Menu.Item>
        <Menu.Item onClick={() => open({ what: "rotate", integration })}>Replace credential</Menu.Item>
        {!integration.default && <Menu.Item onClick={() => preferring.mutate({ default: true })}>Make it the default</Menu.Item>}
        <Menu.Divider />
        <Menu.Item color="red" onClick={() => open({ what: "remove", integration })}>Remove</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Dialogs({ dialog, close, integrations }: { dialog: Dialog; close: () => void; integrations: Integration[] }) {
  if (dialog.what === "remove") return <RemoveIntegration integration={dialog.integration} onClose={close} />;
  const titles = { add: "Add an integration", edit: "Edit settings", rotate: "Replace credential" };
  const title = dialog.what === "add" ? `Add ${channelName(dialog.channel)}` : `${titles[dialog.what]}: ${dialog.integration.name}`;
  return (
    <Modal opened onClose={close} title={title}>
      {dialog.what === "add" && <AddIntegration channel={dialog.channel} first={!integrations.some((each) => each.channel === dialog.channel)} onDone={close} />}
      {dialog.what === "edit" && <EditIntegration integration={dialog.integration} onDone={close} />}
      {dialog.what === "rotate" && <RotateCredential integration={dialog.integration} onDone={close} />}
    </Modal>
  );
}

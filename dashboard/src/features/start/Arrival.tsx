import { Alert, Anchor, Group, Loader, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { useProjectScope } from "@/app/project";
import { channelName, StatusBadge } from "@/components/badges";
import { Loading, Problem } from "@/components/States";
import { duration } from "@/components/Time";
import { isUnderWay, useWatched, type Watched } from "@/features/start/queries";
import classes from "@/features/start/start.module.css";

/** What becomes of a notification, as it happens. */
export function Arrival({ id }: { id: string }) {
  const watched = useWatched(id);
  if (watched.isPending) return <Loading rows={2} label="Loading the notification" />;
  if (watched.isError) return <Problem error={watched.error} again={() => void watched.refetch()} />;
  return (
    <Stack gap="xs">
      <Standing notification={watched.data} />
      <ol className={classes.steps} aria-label="What happened">
        {watched.data.timeline.map((step, index) => (
          <li key={index}>
            <span>+{duration(Date.parse(step.at) - Date.parse(watched.data.created_at))}</span>
            <strong>{wordsOf(step)}</strong>
            <span className={`${classes.detail ?? ""} address`}>{step.detail}</span>
          </li>
        ))}
      </ol>
    </Stack>
  );
}

/** Both we and the provider accept: the second is its word for a channel. */
function wordsOf({ event, channel }: Watched["timeline"][number]): string {
  return event === "accepted" && channel ? `${channelName(channel)} accepted` : event.replaceAll("_", " ");
}

function Standing({ notification }: { notification: Watched }) {
  const { projectId, mode } = useProjectScope();
  const underWay = isUnderWay(notification);
  const reason = notification.deliveries.find((each) => each.reason)?.reason;
  return (
    <Stack gap="xs">
      <Group gap="sm" role="status">
        <StatusBadge status={notification.status} />
        {underWay && <Group gap={6}><Loader size="xs" aria-hidden /><Text size="sm" c="dimmed">Watching…</Text></Group>}
        <Anchor
          size="sm"
          renderRoot={(props) => (
            <Link to="/p/$projectId/notifications/$notificationId" params={{ projectId, notificationId: notification.id }} search={mode === "test" ? { mode } : {}} {...props} />
          )}
        >
          Open it
        </Anchor>
      </Group>
      {!underWay && reason && notification.status !== "sent" && notification.status !== "delivered" && (
        <Alert color={notification.status === "held" ? "orange" : "red"}>{reason}</Alert>
      )}
    </Stack>
  );
}

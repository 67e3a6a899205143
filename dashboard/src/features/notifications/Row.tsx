import { Badge, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { useProjectScope } from "@/app/project";
import { channelName, StatusBadge, statusMark } from "@/components/badges";
import { Time } from "@/components/Time";
import styles from "@/features/notifications/list.module.css";
import type { Notification } from "@/features/notifications/queries";
import { gist, recipients } from "@/features/notifications/words";

const MOST_TAGS = 2;

/** All of the row is one link: it can be opened in a tab of its own, and Enter opens it. */
export function Row({ of }: { of: Notification }) {
  const { projectId, mode } = useProjectScope();
  return (
    <Link
      to="/p/$projectId/notifications/$notificationId" params={{ projectId, notificationId: of.id }} search={mode === "test" ? { mode } : {}}
      className={styles.row} data-row preload={false}
    >
      <span className={styles.state}><StatusBadge status={of.status} /></span>
      <Text span inherit truncate className={styles.to} title={recipients(of)}>{recipients(of)}</Text>
      <Group gap={6} wrap="nowrap" className={styles.words} component="span">
        <Text span inherit truncate fw={500}>{gist(of.content)}</Text>
        {of.priority !== "normal" && <Badge size="xs" variant="light" autoContrast color={of.priority === "high" ? "orange" : "gray"} tt="none" flex="none">{of.priority}</Badge>}
        {of.tags.slice(0, MOST_TAGS).map((each) => <Badge key={each} size="xs" variant="default" tt="none" fw={500} flex="none" maw={120}>{each}</Badge>)}
        {of.tags.length > MOST_TAGS && <Text span size="xs" c="dimmed" flex="none">+{of.tags.length - MOST_TAGS}</Text>}
      </Group>
      <Group gap={10} component="span" className={styles.channels}>
        {of.deliveries.map((each) => (
          <Text key={each.id} span size="xs" c="dimmed" title={`${channelName(each.channel)}: ${each.status}`}>
            {channelName(each.channel)} <span aria-hidden>{of.deliveries.length > 1 && statusMark(each.status)}</span>
          </Text>
        ))}
      </Group>
      <Text span inherit c="dimmed" className={styles.end}><Time at={of.created_at} /></Text>
    </Link>
  );
}

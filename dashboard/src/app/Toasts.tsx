import "@mantine/core/styles/Notification.css";
import "@mantine/notifications/styles.css";

import { Notifications, notifications } from "@mantine/notifications";

/** Where what was done is told. */
export function Toasts() {
  return <Notifications position="top-right" />;
}

export const show = (message: string): void => void notifications.show({ message, color: "teal" });

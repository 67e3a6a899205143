import type { Role } from "@/features/members/queries";

export const ROLES: { value: Role; label: string; about: string }[] = [
  { value: "owner", label: "Owner", about: "Everything, other owners and archiving the project too" },
  { value: "admin", label: "Admin", about: "Integrations, people, settings, the audit log" },
  { value: "developer", label: "Developer", about: "Sends, redrives, makes API tokens" },
  { value: "viewer", label: "Viewer", about: "Sees everything but the audit log, changes nothing" },
];

export function roleName(role: Role): string {
  return ROLES.find((each) => each.value === role)?.label ?? role;
}

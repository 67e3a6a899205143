/** Every address of the dashboard. What a view shows stands in its address, so that it can be shared. */

import {
  createBrowserHistory,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  type RouterHistory,
} from "@tanstack/react-router";

import type { Mode } from "@/api/client";
import { NotFound } from "@/app/NotFound";
import { SignedIn } from "@/app/SignedIn";
import type { Config } from "@/config";
import type { Session } from "@/session/session";

interface Context {
  config: Config;
  session: Session;
}

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

interface SignInSearch {
  to?: string | undefined;
  failed?: string;
  userId?: string;
  secret?: string;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): SignInSearch => ({
    // (somewhere within the dashboard: //elsewhere is another host)
    // What is left out here would stand as it was asked for: undefined takes it away.
    to: typeof search.to === "string" && /^\/(?![/\\])/.test(search.to) ? search.to : undefined,
    ...(typeof search.failed === "string" && { failed: search.failed }),
    ...(typeof search.userId === "string" && typeof search.secret === "string" && { userId: search.userId, secret: search.secret }),
  }),
  component: lazyRouteComponent(() => import("@/features/sign-in/SignInPage"), "SignInPage"),
});

const inside = createRoute({ getParentRoute: () => root, id: "inside", component: SignedIn });

const projects = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/projects/ProjectsPage"), "ProjectsPage"),
});

const invitation = createRoute({
  getParentRoute: () => inside,
  path: "/invitations",
  component: lazyRouteComponent(() => import("@/features/members/InvitationPage"), "InvitationPage"),
});

const project = createRoute({
  getParentRoute: () => inside,
  path: "/p/$projectId",
  validateSearch: (search: Record<string, unknown>): { mode?: Mode | undefined } => ({ mode: search.mode === "test" ? "test" : undefined }),
  component: lazyRouteComponent(() => import("@/app/Shell"), "Shell"),
});

const first = createRoute({
  getParentRoute: () => project,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/p/$projectId/notifications", params });
  },
});

const start = createRoute({
  getParentRoute: () => project,
  path: "start",
  component: lazyRouteComponent(() => import("@/features/start/StartPage"), "StartPage"),
});

const overview = createRoute({
  getParentRoute: () => project,
  path: "overview",
  validateSearch: (search: Record<string, unknown>): { range?: string } =>
    typeof search.range === "string" ? { range: search.range } : {},
  component: lazyRouteComponent(() => import("@/features/overview/OverviewPage"), "OverviewPage"),
});

/** Filters of the list, as the API takes them. */
export const FILTERS = ["status", "channel", "priority", "tag", "reference", "recipient", "since", "until"] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

const notifications = createRoute({
  getParentRoute: () => project,
  path: "notifications",
  validateSearch: (search: Record<string, unknown>): Filters =>
    Object.fromEntries(FILTERS.flatMap((name) => (typeof search[name] === "string" ? [[name, search[name]]] : []))),
  component: lazyRouteComponent(() => import("@/features/notifications/NotificationsPage"), "NotificationsPage"),
});

const notification = createRoute({
  getParentRoute: () => project,
  path: "notifications/$notificationId",
  component: lazyRouteComponent(() => import("@/features/notifications/NotificationPage"), "NotificationPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => project,
  path: "dead-letters",
  component: lazyRouteComponent(() => import("@/features/dead-letters/DeadLettersPage"), "DeadLettersPage"),
});

const deadLetterGroup = createRoute({
  getParentRoute: () => project,
  path: "dead-letters/$fingerprint",
  component: lazyRouteComponent(() => import("@/features/dead-letters/GroupPage"), "GroupPage"),
});

const integrations = createRoute({
  getParentRoute: () => project,
  path: "integrations",
  component: lazyRouteComponent(() => import("@/features/integrations/IntegrationsPage"), "IntegrationsPage"),
});

const tokens = createRoute({
  getParentRoute: () => project,
  path: "tokens",
  component: lazyRouteComponent(() => import("@/features/tokens/TokensPage"), "TokensPage"),
});

const members = createRoute({
  getParentRoute: () => project,
  path: "members",
  component: lazyRouteComponent(() => import("@/features/members/MembersPage"), "MembersPage"),
});

const audit = createRoute({
  getParentRoute: () => project,
  path: "audit-log",
  validateSearch: (search: Record<string, unknown>): { action?: string } =>
    typeof search.action === "string" ? { action: search.action } : {},
  component: lazyRouteComponent(() => import("@/features/audit/AuditPage"), "AuditPage"),
});

const settings = createRoute({
  getParentRoute: () => project,
  path: "settings",
  component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
});

const tree = root.addChildren([
  signIn,
  inside.addChildren([
    projects,
    invitation,
    project.addChildren([
      first, start, overview, notifications, notification, deadLetters, deadLetterGroup, integrations, tokens, members,
      audit, settings,
    ]),
  ]),
]);

export function createAppRouter(config: Config, session: Session, history: RouterHistory = createBrowserHistory()) {
  return createRouter({
    routeTree: tree,
    history,
    // Every value is text: an id or a tag that happens to be digits stays what it is.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: written,
    context: { config, session },
    defaultPreload: "intent",
    scrollRestoration: true,
  });
}

function written(search: Record<string, unknown>): string {
  const given = Object.entries(search).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : "";
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

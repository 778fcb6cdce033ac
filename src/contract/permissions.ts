/** What a route asks of the person or program that calls it; which role has which is in core/access. */
export const PERMISSIONS = ["read", "track", "register", "promote", "run", "predict", "administer"] as const;

/**
 * read: look at everything. track: log experiments, runs and their files. register: models and versions, their tags and stages.
 * promote: aliases, rollback. run: pipelines, materialization, alerts, approvals. predict: ask endpoints. administer: users, tokens, audit.
 */
export type Permission = (typeof PERMISSIONS)[number];

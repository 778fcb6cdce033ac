/** What the settings show, as their address says it. */
export interface SettingsSearch {
  /** Whose changes the trail is asked for. */
  readonly actor?: string;
  /** Which kind of change. */
  readonly action?: string;
  readonly cursor?: string;
  readonly page?: number;
}

const filled = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

export function readSettingsSearch({ page, ...search }: Record<string, unknown>): SettingsSearch {
  const [actor, action, cursor] = [filled(search.actor), filled(search.action), filled(search.cursor)];
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(cursor !== undefined && { cursor }),
    ...(cursor !== undefined && Number.isSafeInteger(page) && Number(page) > 1 && { page: Number(page) }),
  };
}

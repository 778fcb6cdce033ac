/** Which workspace and project a row, path or key belongs to: part of every one of them. */
export interface Scope {
  readonly workspace: string;
  readonly project: string;
}

/** Who asks. Anonymous is allowed only on loopback. */
export interface Actor {
  readonly kind: "user" | "token" | "system" | "anonymous";
  readonly name: string;
}

export const systemActor = (name: string): Actor => ({ kind: "system", name });

import { Server } from "node:https";
import type { FastifyInstance } from "fastify";
import { serverErrors } from "./errors.ts";

/** Where the server then is. @throws SERVER_PORT_IN_USE */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    const url = await app.listen({ host, port });
    // Fastify takes a server that it did not make for one without TLS.
    return app.server instanceof Server ? url.replace(/^http:/, "https:") : url;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")
      throw serverErrors.SERVER_PORT_IN_USE(`Port ${port} on ${host} is in use`, { cause });
    throw cause;
  }
}

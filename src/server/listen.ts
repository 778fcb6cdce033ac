import type { FastifyInstance } from "fastify";
import { serverErrors } from "./errors.ts";

/** @throws SERVER_PORT_IN_USE */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")
      throw serverErrors.SERVER_PORT_IN_USE(`Port ${port} on ${host} is in use`, { cause });
    throw cause;
  }
}

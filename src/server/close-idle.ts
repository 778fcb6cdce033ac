import type { FastifyInstance } from "fastify";

const EVERY_MS = 50;

/**
 * Lets a server that is closing end as soon as its last answer is out. Node closes idle connections once, at the beginning; one that was answered a
 * moment later would be kept for its keep-alive, which is longer than anybody waits for a server to stop.
 */
export function closeIdleConnections(app: FastifyInstance): void {
  app.addHook("preClose", (done) => {
    const { server } = app;
    if (server.listening) {
      const timer = setInterval(() => server.closeIdleConnections(), EVERY_MS);
      server.once("close", () => clearInterval(timer));
    }
    done();
  });
}

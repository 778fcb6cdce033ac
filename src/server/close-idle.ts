import type { FastifyInstance } from "fastify";

const EVERY_MS = 50;

/**
 * Lets a server that is closing end as soon as its last answer is out. Node closes idle connections once, at the beginning: one that was answered a
 * moment later would be kept for its keep-alive, and one that was opened and has asked nothing yet until its time for a request is up.
 */
export function closeIdleConnections(app: FastifyInstance): void {
  let underWay = 0;
  app.addHook("onRequest", (_request, reply, done) => {
    underWay += 1;
    reply.raw.once("close", () => {
      underWay -= 1;
    });
    done();
  });
  app.addHook("preClose", (done) => {
    const { server } = app;
    if (server.listening) {
      const timer = setInterval(() => {
        if (underWay === 0) server.closeAllConnections();
        else server.closeIdleConnections();
      }, EVERY_MS);
      server.once("close", () => clearInterval(timer));
    }
    done();
  });
}

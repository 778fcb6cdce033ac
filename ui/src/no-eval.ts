import { z } from "zod";

// Zod tries whether it may compile its parsers with eval; the server's content policy forbids that and the browser would log an error.
// It has to be said before the contract makes its first schema, hence a module of its own that is imported first.
z.config({ jitless: true });

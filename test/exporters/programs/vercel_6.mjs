// Vercel's AI SDK 6 with its own telemetry.
import { createOpenAI } from "@ai-sdk/openai-6";
import * as ai from "ai6";
import { forecast } from "./vercel.mjs";

await forecast(ai, createOpenAI);

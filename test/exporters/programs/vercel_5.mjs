// Vercel's AI SDK 5 with its own telemetry.
import { createOpenAI } from "@ai-sdk/openai-5";
import * as ai from "ai5";
import { forecast } from "./vercel.mjs";

await forecast(ai, createOpenAI);

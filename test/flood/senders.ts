import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateDirAt } from '../../apps/cli/src/up/state-dir.ts';
import type { Stage } from '../scenario/stage.ts';
import type { Post } from './pump.ts';

const FORM = 'application/x-www-form-urlencoded';

/** What a stranger can send to every door that is open to everybody; all of it is refused. */
export function refusedRequests({ at }: Stage): readonly ((index: number) => Post)[] {
  const made = () => randomBytes(32).toString('base64url');
  const command = `${at.web}/api/commands/ticket.create`;
  const json = { 'content-type': 'application/json', origin: at.web };
  return [
    () => ({ url: command, headers: json, body: '{}' }),
    () => ({ url: command, headers: { ...json, cookie: `deadlatch_session=${made()}` }, body: '{}' }),
    () => ({
      method: 'GET',
      url: `${at.web}/api/queue`,
      headers: { cookie: `deadlatch_session=${made()}` },
    }),
    () => ({ method: 'GET', url: `${at.web}/s/${made()}` }),
    () => ({ method: 'GET', url: `${at.identity}/approve/${made()}` }),
    () => ({
      url: `${at.gateway}/sms/inbound`,
      headers: { 'content-type': FORM, 'x-twilio-signature': randomBytes(20).toString('base64') },
      body: 'From=%2B15125550101&Body=approve',
    }),
  ];
}

/** A text to our number as the carrier hands it over: signed by the carrier, whoever wrote it. */
export interface CarrierText {
  /** E.164 */
  readonly from: string;
  readonly body: string;
}

export async function createTexter(stateDir: string, gateway: string): Promise<(text: CarrierText) => Post> {
  const state = stateDirAt(stateDir);
  const token = (await readFile(join(state.keys, 'gateway', 'twilio-auth-token'), 'utf8')).trim();
  const installation = JSON.parse(await readFile(state.installationFile, 'utf8')) as {
    twilioAccountSid: string;
    twilioNumber: string;
  };
  const url = `${gateway}/sms/inbound`;
  return ({ from, body }) => {
    const sid = `SM${randomBytes(16).toString('hex')}`;
    const parameters: Readonly<Record<string, string>> = {
      MessageSid: sid,
      AccountSid: installation.twilioAccountSid,
      From: from,
      To: installation.twilioNumber,
      Body: body,
    };
    const joined = Object.keys(parameters)
      .sort()
      .map((name) => name + parameters[name])
      .join('');
    const signature = createHmac('sha1', token)
      .update(url + joined)
      .digest('base64');
    return {
      url,
      headers: { 'content-type': FORM, 'x-twilio-signature': signature },
      body: new URLSearchParams(parameters).toString(),
    };
  };
}

/** Numbers that nobody on file has; every tenth text comes from the same one. */
export function strangerAt(index: number): string {
  return index % 10 === 0 ? '+13035550000' : `+1303${String(5_550_001 + index).padStart(7, '0')}`;
}

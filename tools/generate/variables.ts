/** One environment variable, as an operator meets it. */
export interface Variable {
  readonly name: string;
  readonly example: string;
  readonly readBy: readonly string[];
  readonly description: string;
  /** Written as a comment in the example: the process starts without it. */
  readonly optional?: true;
}

export interface VariableGroup {
  readonly title: string;
  readonly variables: readonly Variable[];
}

/** The processes that `npm start` starts. */
export const EVERY_SERVICE: readonly string[] = [
  'agent',
  'dispatch-api',
  'gateway',
  'identity',
  'sequencer',
  'simulator',
  'tool-bridge',
  'vault',
  'web',
  'witness',
  'worker',
];

/** The simulator plays people and the carrier: it is outside of what is traced, and of what proves itself. */
const OUR_SERVICES = EVERY_SERVICE.filter((name) => name !== 'simulator');

/** Every variable of every `env.ts`; a test compares the names. */
export const VARIABLE_GROUPS: readonly VariableGroup[] = [
  {
    title: 'Every service',
    variables: [
      {
        name: 'DEADLATCH_ENVIRONMENT',
        example: 'demo',
        readBy: EVERY_SERVICE,
        description:
          'Name of the environment; part of every service identity, so a key of one environment never fits another.',
      },
      {
        name: 'DEADLATCH_TENANT_ID',
        example: '01890000-0000-7000-8000-000000000000',
        readBy: ['dispatch-api', 'identity', 'vault', 'web'],
        description: 'The contractor who runs this deployment (a UUID).',
      },
      {
        name: 'DEADLATCH_KEY_DIR',
        example: './.deadlatch/keys/SERVICE',
        readBy: EVERY_SERVICE,
        description: 'Directory with the keys and secrets of this one process.',
      },
      {
        name: 'DEADLATCH_HOST',
        example: '127.0.0.1',
        readBy: EVERY_SERVICE,
        description: 'Address to listen on.',
      },
      {
        name: 'DEADLATCH_PORT',
        example: '4310',
        readBy: EVERY_SERVICE,
        description: 'Port to listen on; the defaults are in docs/operate/ports.md.',
      },
      {
        name: 'DEADLATCH_INTERNAL_PORT',
        example: '4321',
        readBy: ['gateway', 'identity'],
        description:
          'Port for the other services, where DEADLATCH_PORT is for browsers or carriers. Neither has the routes of the other.',
      },
      {
        name: 'DEADLATCH_MTLS',
        example: 'on',
        readBy: OUR_SERVICES,
        description:
          'on: services prove themselves to each other with the certificates in their key directories. mesh: a service mesh does it, and they speak plain HTTP to it.',
        optional: true,
      },
      {
        name: 'DEADLATCH_LOG_LEVEL',
        example: 'info',
        readBy: EVERY_SERVICE,
        description: 'Least level of log lines that are written.',
        optional: true,
      },
      {
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        example: 'http://127.0.0.1:4318',
        readBy: OUR_SERVICES,
        description:
          'OpenTelemetry collector that spans are sent to, by OTLP over HTTP. Unset: trace ids run along, and no spans are made.',
        optional: true,
      },
    ],
  },
  {
    title: 'Where the others are',
    variables: [
      {
        name: 'DISPATCH_API_URL',
        example: 'https://127.0.0.1:4310',
        readBy: ['gateway', 'identity', 'tool-bridge', 'web', 'worker'],
        description: 'The authority.',
      },
      {
        name: 'IDENTITY_URL',
        example: 'https://127.0.0.1:4321',
        readBy: ['tool-bridge', 'web'],
        description: 'Where sessions and turn grants become transaction tokens.',
      },
      {
        name: 'VAULT_URL',
        example: 'https://127.0.0.1:4330',
        readBy: ['gateway', 'identity', 'web'],
        description: 'The keeper of personal data.',
      },
      {
        name: 'TOOL_BRIDGE_URL',
        example: 'https://127.0.0.1:4340',
        readBy: ['agent', 'tool-bridge'],
        description: 'The only thing the agent can reach.',
      },
      {
        name: 'AGENT_URL',
        example: 'https://127.0.0.1:4350',
        readBy: ['worker'],
        description: 'Whom to wake for a turn.',
      },
      {
        name: 'GATEWAY_URL',
        example: 'https://127.0.0.1:4361',
        readBy: ['worker'],
        description: 'Who delivers a message.',
      },
      {
        name: 'WITNESS_URL',
        example: 'https://127.0.0.1:4380',
        readBy: ['dispatch-api', 'gateway', 'identity', 'sequencer', 'tool-bridge', 'vault', 'web', 'worker'],
        description: 'Who cosigns checkpoints of the log, and takes receipts.',
      },
      {
        name: 'SEQUENCER_URL',
        example: 'https://127.0.0.1:4375',
        readBy: ['witness'],
        description: 'Who keeps the log; asked to prove what receipts promise.',
      },
    ],
  },
  {
    title: 'What people and carriers see',
    variables: [
      {
        name: 'WEB_PUBLIC_URL',
        example: 'http://127.0.0.1:4300',
        readBy: ['dispatch-api', 'web'],
        description:
          'Public address of the web pages; written into links. Another host than the one of identity, so that cookies do not mix.',
      },
      {
        name: 'IDENTITY_PUBLIC_URL',
        example: 'http://localhost:4320',
        readBy: ['dispatch-api', 'identity'],
        description: 'Public address of the sign-in and approval pages.',
      },
      {
        name: 'GATEWAY_PUBLIC_URL',
        example: 'http://127.0.0.1:4360',
        readBy: ['gateway', 'simulator'],
        description:
          'The address the carrier was given; its signature covers it, and it is never taken from a header. The simulator posts its webhooks there.',
      },
      {
        name: 'DEADLATCH_SENDER_NAME',
        example: 'Northside Doors',
        readBy: ['dispatch-api'],
        description: 'The name that texts to customers begin with.',
        optional: true,
      },
    ],
  },
  {
    title: 'Storage',
    variables: [
      {
        name: 'OBJECT_STORE_URL',
        example: 'file:///var/lib/deadlatch/objects',
        readBy: ['dispatch-api'],
        description:
          'Where photos are kept: `file:` and a folder, or `s3:` and the address of a bucket of any S3-compatible service (`s3:https://s3.example/photos`); its credentials are the files s3-access-key-id and s3-secret-access-key of the key directory.',
      },
      {
        name: 'OBJECT_STORE_REGION',
        example: 'us-east-1',
        readBy: ['dispatch-api'],
        description: 'Region of the bucket, which its signatures name.',
        optional: true,
      },
      {
        name: 'IMAGER_SOCKET',
        example: './.deadlatch/imager/imager.sock',
        readBy: ['dispatch-api', 'imager'],
        description:
          'Socket on which imager takes photos and gives them back drawn anew. Whoever may open it may have pictures decoded, and no more.',
      },
      {
        name: 'GATEWAY_INBOX_DIR',
        example: './.deadlatch/inbox',
        readBy: ['gateway'],
        description: 'The durable inbox: sealed messages that are not handed on yet.',
      },
      {
        name: 'LOG_DIR',
        example: './.deadlatch/log',
        readBy: ['sequencer'],
        description: 'Tiles and checkpoint of the Merkle log. Public within the installation; no secrets.',
      },
      {
        name: 'WITNESS_DIR',
        example: './.deadlatch/witness',
        readBy: ['witness'],
        description:
          'What the witness has seen of the log, and the receipts it waits for. As precious as its key: a witness without it cosigns whatever it is shown first.',
      },
    ],
  },
  {
    title: 'Carriers',
    variables: [
      {
        name: 'TWILIO_ACCOUNT_SID',
        example: 'AC00000000000000000000000000000000',
        readBy: ['gateway', 'simulator'],
        description: 'Account at the SMS carrier.',
      },
      {
        name: 'TWILIO_NUMBER',
        example: '+15125550100',
        readBy: ['gateway', 'simulator'],
        description: 'Our own number: the only one that inbound messages may be written to.',
      },
      {
        name: 'TWILIO_API_BASE',
        example: 'http://127.0.0.1:4390',
        readBy: ['gateway'],
        description: 'REST address of the carrier; the simulator in the demo.',
      },
      {
        name: 'SMTP_SENDER',
        example: 'codes@deadlatch.example',
        readBy: ['identity'],
        description: 'Sender of the mails that carry one-time codes.',
      },
      {
        name: 'SIMULATOR_PEOPLE',
        example: './.deadlatch/keys/simulator/people.json',
        readBy: ['simulator'],
        description: 'File with the demo people whose phones and mailboxes are played.',
      },
      {
        name: 'SIMULATOR_SMTP_PORT',
        example: '4395',
        readBy: ['simulator'],
        description: 'Port of the mail server that plays the mailboxes of the demo people.',
      },
    ],
  },
];

export const HELP = `deadlatch - dispatch that fails closed

  deadlatch up                        start everything: database, services, web page
      --state-dir DIR                 where keys, data and logs live (.deadlatch)
      --port-base N                   first port; the others follow at fixed distances (4300)
      --profile demo|empty            with demo people and simulator, or without (demo)
  deadlatch call COMMAND --as WHO     send one command or read as a demo person
      --target ID                     ticket, approval, contact or other row it is about
      --body JSON                     its input; {"text": "..."} where words are wanted; a read's parameters
      --key UUID                      idempotency key; a new one when left out
  deadlatch import FILE... --as WHO   put accounts.csv, sites.csv, assets.csv, technicians.csv on file, line by line,
                                      and ask for contacts.csv, many in one act
      --dry-run                       decide every line, do none
      --wait                          stay until what was asked is confirmed
  deadlatch export DIR --as WHO       write the same files; of contacts who may do what where
      --reveal                        names and numbers too: refused until there are passkeys
  deadlatch audit show                the trail, oldest first, each event in its chain
      --correlation ID | --ticket ID | --subject ID | --event ID  --since TIME  --until TIME
  deadlatch audit why ID              why a request was refused: ID as its answer names it, or of its event or chain
  deadlatch audit export --out DIR    the whole trail as files; --receipts FILE goes with it
      --ticket ID ... --out FILE      one part of it, each event with its proof
  deadlatch audit verify              check log, events, signatures, objects and who may do what
      --log DIR | --export DIR | --proof FILE   from files alone; needs --trust FILE
      --receipts FILE  --older FILE   receipts that it must honour, other checkpoints that it must fit
  deadlatch keys list                 every key and certificate: state and times
  deadlatch keys issue WHOSE          a first key, or the one that will replace it; needs nothing that runs
  deadlatch keys rotate WHOSE|all     replace keys while everything runs; WHOSE is a service, grant, token or tls
      --overlap SECONDS               how long the old key is still accepted (65 or more)
  deadlatch keys revoke KEYID         refuse a key everywhere within 60 s, for good
      --yes                           also when its holder has no other
  deadlatch restore accept            accept a restored backup; two people, one after the other
      --key FILE                      the key of the person who accepts
  deadlatch doctor                    what isolation is reached on this machine
  deadlatch migrate                   bring your own PostgreSQL (DATABASE_URL) to this version

Every command takes --state-dir and --json.

Exit codes: 0 done
            1 failed; standard error has the sentence
            2 usage; nothing was asked of anybody
            3 refused; the problem document is on standard output
            4 unreachable; nothing runs there, or it does not answer
`;

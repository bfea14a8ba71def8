import { accept, construct, constructFrom } from './construct.js';
import { get, stableText } from './interpolate.js';
import { Dict, type Field, type Node, type Raw, type StructType, type Type } from './model.js';
import type { Dialect } from './program.js';
import { BOOLEAN, FLOAT, INTEGER, STRING, type TypeTable } from './types.js';

const MB = 1024n ** 2n;

/** The units of resources in a config; powers of 1024, in bytes. */
export const UNITS: Readonly<Record<string, bigint>> = {
  BYTES: 1n,
  KB: 1024n,
  MB,
  GB: 1024n ** 3n,
  TB: 1024n ** 4n,
};

/** The type of a field, with its default or whether it is required. */
type Declared = Type | { type: Type; required?: true; default?: Raw };

/** The names that the configs of a dialect find. */
export interface Namespace {
  readonly types: ReadonlyMap<string, Type>;
  readonly values: ReadonlyMap<string, Raw>;
}

/** The schema of Aurora jobs. */
export interface AuroraSchema {
  readonly job: StructType;
  /** The type of what the executor binds to an Aurora task. */
  readonly mesosContext: StructType;
  readonly names: Namespace;
}

/** The schema of Thermos tasks and Aurora jobs, with the fields and defaults of the original's last version. */
export class Schema {
  readonly task: StructType;
  readonly process: StructType;
  readonly constraint: StructType;
  readonly resources: StructType;
  readonly context: StructType;
  readonly #table: TypeTable;
  readonly #types = new Map<string, Type>();
  readonly #thermos: Namespace;
  #aurora: AuroraSchema | undefined;

  constructor(table: TypeTable) {
    this.#table = table;
    this.context = this.#struct('ThermosContext', {
      ports: table.map(STRING, INTEGER),
      task_id: STRING,
      user: STRING,
    });
    this.resources = this.#struct('Resources', {
      cpu: required(FLOAT),
      ram: required(INTEGER),
      disk: required(INTEGER),
      gpu: by(INTEGER, 0n),
    });
    this.constraint = this.#struct('Constraint', { order: table.list(STRING) });
    const rotate = this.#struct('RotatePolicy', {
      log_size: by(INTEGER, 100n * MB),
      backups: by(INTEGER, 5n),
    });
    const destination = this.#named(table.enum('LoggerDestination', ['file', 'console', 'both', 'none']));
    const mode = this.#named(table.enum('LoggerMode', ['standard', 'rotate']));
    const logger = this.#struct('Logger', {
      destination: by(destination, 'file'),
      mode: by(mode, 'standard'),
      rotate,
    });
    this.process = this.#struct('Process', {
      cmdline: required(STRING),
      name: required(STRING),
      resources: this.resources,
      max_failures: by(INTEGER, 1n),
      daemon: by(BOOLEAN, false),
      ephemeral: by(BOOLEAN, false),
      min_duration: by(INTEGER, 5n),
      final: by(BOOLEAN, false),
      logger,
    });
    this.task = this.#struct('Task', {
      name: by(STRING, '{{processes[0].name}}'),
      processes: table.list(this.process),
      constraints: by(table.list(this.constraint), []),
      resources: this.resources,
      max_failures: by(INTEGER, 1n),
      max_concurrency: by(INTEGER, 0n),
      finalization_wait: by(INTEGER, 30n),
      user: STRING,
    });
    this.#thermos = { types: new Map(this.#types), values: new Map(Object.entries(UNITS)) };
  }

  names(dialect: Dialect): Namespace {
    return dialect === 'aurora' ? this.aurora.names : this.#thermos;
  }

  /** Made on demand: a task in JSON does not need it. */
  get aurora(): AuroraSchema {
    this.#aurora ??= this.#auroraSchema();
    return this.#aurora;
  }

  /**
   * A new struct type. Defaults are made again from their raw values: their bindings are lost, and refs in their texts
   * are resolved where the field is used.
   */
  struct(name: string, declared: readonly Field[]): StructType {
    const fields = declared.map((field) => {
      const value = field.default && construct(field.type, get(field.default));
      return { ...field, default: value };
    });
    return this.#table.struct(name, fields, ({ default: value }) => (value ? stableText(get(value)) : null));
  }

  #auroraSchema(): AuroraSchema {
    const table = this.#table;
    const mesosContext = this.#struct('MesosContext', {
      instance: required(INTEGER),
      hostname: required(STRING),
    });
    const strategies = [
      this.#struct('QueueUpdateStrategy', { batch_size: by(INTEGER, 1n) }),
      this.#struct('BatchUpdateStrategy', {
        batch_size: by(INTEGER, 1n),
        autopause_after_batch: by(BOOLEAN, false),
      }),
      this.#struct('VariableBatchUpdateStrategy', {
        batch_sizes: required(table.list(INTEGER)),
        autopause_after_batch: by(BOOLEAN, false),
      }),
    ];
    const updateConfig = this.#struct('UpdateConfig', {
      batch_size: by(INTEGER, 1n),
      watch_secs: by(INTEGER, 45n),
      max_per_shard_failures: by(INTEGER, 0n),
      max_total_failures: by(INTEGER, 0n),
      rollback_on_failure: by(BOOLEAN, true),
      wait_for_batch_completion: by(BOOLEAN, false),
      pulse_interval_secs: INTEGER,
      sla_aware: by(BOOLEAN, false),
      update_strategy: table.choice(null, strategies),
    });
    const httpHealthChecker = this.#struct('HttpHealthChecker', {
      endpoint: by(STRING, '/health'),
      expected_response: by(STRING, 'ok'),
      expected_response_code: by(INTEGER, 0n),
    });
    const healthCheckerConfig = this.#struct('HealthCheckerConfig', {
      http: httpHealthChecker,
      shell: this.#struct('ShellHealthChecker', { shell_command: required(STRING) }),
    });
    const healthChecker = make(healthCheckerConfig, { http: make(httpHealthChecker) });
    const healthCheckConfig = this.#struct('HealthCheckConfig', {
      health_checker: by(healthCheckerConfig, healthChecker),
      initial_interval_secs: by(FLOAT, 15n),
      interval_secs: by(FLOAT, 10n),
      max_consecutive_failures: by(INTEGER, 0n),
      min_consecutive_successes: by(INTEGER, 1n),
      timeout_secs: by(FLOAT, 1n),
    });
    const httpLifecycle = this.#struct('HttpLifecycleConfig', {
      port: by(STRING, 'health'),
      graceful_shutdown_endpoint: by(STRING, '/quitquitquit'),
      shutdown_endpoint: by(STRING, '/abortabortabort'),
      graceful_shutdown_wait_secs: by(INTEGER, 5n),
      shutdown_wait_secs: by(INTEGER, 5n),
    });
    const lifecycleConfig = this.#struct('LifecycleConfig', { http: httpLifecycle });
    const defaultLifecycle = make(lifecycleConfig, { http: make(httpLifecycle) });
    const announcer = this.#struct('Announcer', {
      primary_port: by(STRING, 'http'),
      portmap: { type: table.map(STRING, STRING), default: dictOf({ aurora: '{{primary_port}}' }) },
      zk_path: STRING,
    });
    this.#struct('MesosTaskInstance', {
      task: required(this.task),
      instance: required(INTEGER),
      role: required(STRING),
      announce: announcer,
      environment: required(STRING),
      health_check_config: by(healthCheckConfig, make(healthCheckConfig)),
      lifecycle: lifecycleConfig,
    });
    const parameter = this.#struct('Parameter', { name: required(STRING), value: required(STRING) });
    const docker = this.#struct('Docker', {
      image: required(STRING),
      parameters: by(table.list(parameter), []),
    });
    const appcImage = this.#struct('AppcImage', { name: required(STRING), image_id: required(STRING) });
    const dockerImage = this.#struct('DockerImage', { name: required(STRING), tag: required(STRING) });
    const volumeMode = table.enum(null, ['RO', 'RW']);
    this.#types.set('Mode', volumeMode);
    const volume = this.#struct('Volume', {
      container_path: required(STRING),
      host_path: required(STRING),
      mode: required(volumeMode),
    });
    const mesos = this.#struct('Mesos', {
      image: table.choice(null, [appcImage, dockerImage]),
      volumes: by(table.list(volume), []),
    });
    const container = this.#struct('Container', { docker });
    const partitionPolicy = this.#struct('PartitionPolicy', {
      reschedule: by(BOOLEAN, true),
      delay_secs: by(INTEGER, 0n),
    });
    const metadata = this.#struct('Metadata', { key: required(STRING), value: required(STRING) });
    const executorConfig = this.#struct('ExecutorConfig', {
      name: by(STRING, 'AuroraExecutor'),
      data: by(STRING, ''),
    });
    const percentage = this.#struct('PercentageSlaPolicy', {
      percentage: required(FLOAT),
      duration_secs: required(INTEGER),
    });
    const count = this.#struct('CountSlaPolicy', {
      count: required(INTEGER),
      duration_secs: required(INTEGER),
    });
    const coordinator = this.#struct('CoordinatorSlaPolicy', {
      coordinator_url: required(STRING),
      status_key: by(STRING, 'drain'),
    });
    const job = this.#struct('MesosJob', {
      name: by(STRING, '{{task.name}}'),
      role: required(STRING),
      contact: STRING,
      cluster: required(STRING),
      environment: required(STRING),
      instances: by(INTEGER, 1n),
      task: required(this.task),
      announce: announcer,
      tier: STRING,
      cron_schedule: STRING,
      cron_collision_policy: by(STRING, 'KILL_EXISTING'),
      update_config: by(updateConfig, make(updateConfig)),
      constraints: table.map(STRING, STRING),
      metadata: by(table.list(metadata), []),
      service: by(BOOLEAN, false),
      max_task_failures: by(INTEGER, 1n),
      production: by(BOOLEAN, false),
      priority: by(INTEGER, 0n),
      health_check_config: by(healthCheckConfig, make(healthCheckConfig)),
      lifecycle: by(lifecycleConfig, defaultLifecycle),
      task_links: table.map(STRING, STRING),
      executor_config: by(executorConfig, make(executorConfig)),
      enable_hooks: by(BOOLEAN, false),
      partition_policy: partitionPolicy,
      sla_policy: table.choice(null, [coordinator, count, percentage]),
      container: table.choice(null, [container, docker, mesos]),
    });
    this.#types.set('Job', job);
    const values = new Map<string, Raw>([
      ...this.#thermos.values,
      ['AURORA_EXECUTOR_NAME', 'AuroraExecutor'],
      ['DefaultHealthChecker', healthChecker],
      ['DisableLifecycle', make(lifecycleConfig)],
      ['DefaultLifecycleConfig', defaultLifecycle],
      ['Service', make(job, { service: true })],
    ]);
    return { job, mesosContext, names: { types: this.#types, values } };
  }

  #struct(name: string, declared: Readonly<Record<string, Declared>>): StructType {
    const fields = Object.entries(declared).map(([field, given]): Field => {
      if ('kind' in given) return { name: field, type: given, required: false, default: undefined };
      const { type, required: needed = false, default: value } = given;
      return {
        name: field,
        type,
        required: needed,
        default: value === undefined ? undefined : accept(type, value),
      };
    });
    return this.#named(this.struct(name, fields));
  }

  #named<T extends Type>(type: T): T {
    this.#types.set(type.name, type);
    return type;
  }
}

function required(type: Type): Declared {
  return { type, required: true };
}

/** A field with a default. */
function by(type: Type, value: Raw): Declared {
  return { type, default: value };
}

function make(type: StructType, fields: Readonly<Record<string, Raw>> = {}): Node {
  return constructFrom(type, [], Object.entries(fields));
}

function dictOf(entries: Readonly<Record<string, Raw>>): Dict {
  return new Dict(Object.entries(entries));
}

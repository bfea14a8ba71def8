const INFO = (rack: string, extra = '') => `hostname: "node-1"
resources {
  name: "cpus"
  type: SCALAR
}
attributes {
  name: "rack"
  text { value: "${rack}" }
}
${extra}`;

/** As Mesos 1.5 and later print it (slave.cpp, compatibility.cpp). */
export const MESOS_1_5 = `I1121 10:00:00.000000  100 main.cpp:322] Build
E1121 10:00:01.000000  100 slave.cpp:6990] EXIT with status 1: Failed to perform recovery: Incompatible agent info detected. 
------------------------------------------------------------
Old agent info:
${INFO('a')}
New agent info:
${INFO('b', 'attributes {\n  name: "host"\n}\n')}
------------------------------------------------------------

To restart this agent with a new agent id instead, do as follows:
rm -f /var/lib/mesos/meta/slaves/latest
This ensures that the agent does not recover old live executors.
`;

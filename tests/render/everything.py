"""A configuration with everything on that the rendered stack can have."""

EVERYTHING = """\
exporter: {probes: [{name: labels, url: "http://labels:8080/health"}]}
prometheus:
  jobs: [api, exporter, node, cadvisor, prometheus, alertmanager, pushgateway]
  external_labels: {site: north}
  remote_write:
    - url: https://metrics.example.com/write
      name: archive
      basic_auth: {username: facemon, password_file: secrets/write}
      tls: {ca_file: secrets/ca.pem}
      keep: ["model_*", drift_score]
  replicas: 2
alerts:
  objectives:
    - {name: Answers, indicator: errors, target: 0.999, period: 30d}
    - {name: Fast, indicator: latency, target: 0.99, threshold: 0.5, endpoint: /predict, period: 30d}
  custom: [{name: QueueLong, expr: queue_length > 100, summary: The labelling queue is long, labels: {team: vision}}]
alertmanager:
  smtp: {smarthost: "smtp.example.com:587", from: facemon@example.com, username: facemon, password_file: secrets/smtp}
  receivers:
    - {name: everybody, email: [{to: team@example.com}]}
    - {name: chat, slack: [{api_url_file: secrets/slack, channel: "#alerts"}]}
    - {name: call, pagerduty: [{routing_key_file: secrets/pagerduty}]}
    - {name: teams, teams: [{webhook_url_file: secrets/teams}]}
    - {name: hook, webhook: [{url: "http://pager.example.com/hook", bearer_token_file: secrets/hook}]}
  routes:
    - {match: {severity: critical}, receiver: call, continue: true}
    - {match: {team: vision}, receiver: teams}
    - {match: {attribute: [gender, age]}, receiver: chat, mute: [nights]}
  mute_times: [{name: nights, hours: [{from: "20:00", to: "24:00"}, {from: "00:00", to: "06:00"}]}]
  dead_man: {receiver: hook, repeat_interval: 5m}
  replicas: 2
grafana:
  admin_password_file: secrets/admin
  database: {password_file: secrets/database}
schedule:
  targets: [cron, systemd, github, airflow, kubernetes]
  directory: /srv/faces
  retrain: [./retrain.sh]
  export: {pushgateway: "https://push.example", user: facemon, password_file: /etc/facemon/push}
"""

"""An Airflow DAG that labels each day's clips, and past days where they are missing."""

import os
from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="clipmill_daily",
    schedule="30 2 * * *",
    start_date=datetime.fromisoformat(os.environ.get("CLIPMILL_SINCE", "2026-01-01T00:00Z")),
    catchup=True,
    # one run at a time writes a data set
    max_active_runs=1,
    # five minutes apart, or as Airflow's default_task_retry_delay says
    default_args={"retries": 3},
) as dag:
    BashOperator(
        task_id="label",
        # ds is the day of the run (of Airflow 3), and {date-1} in the spec the day before it
        bash_command="clipmill run ${CLIPMILL_JOB:-/etc/clipmill/daily.toml} --date {{ ds }}"
        " --allow-empty --wait --log-format json",
    )

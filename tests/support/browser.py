"""Logs in to Airflow's UI with a headless Chromium and looks at a DAG's graph. For Airflow's environment, which has Selenium.

python browser.py ADDRESS USER PASSWORD DAG SCREENSHOT     prints the task names that the graph shows, as JSON
"""

from __future__ import annotations

import json
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as shown
from selenium.webdriver.support.ui import WebDriverWait

address, user, password, dag, screenshot, *tasks = sys.argv[1:]
options = webdriver.ChromeOptions()
for argument in (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--window-size=1600,1000",
    "--force-device-scale-factor=1",
):
    options.add_argument(argument)
browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
browser.set_page_load_timeout(180)
wait = WebDriverWait(browser, 180)
try:
    browser.get(f"{address}/")
    wait.until(shown.presence_of_element_located((By.NAME, "username"))).send_keys(user)
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait.until(lambda b: "/auth/login" not in b.current_url)
    # Of a DAG's two views the grid is the first; the choice is kept in the browser.
    browser.execute_script("localStorage.setItem('default_dag_view', JSON.stringify('graph'))")
    browser.get(f"{address}/dags/{dag}")

    def nodes(b: webdriver.Chrome) -> list[str]:
        return [node.text.splitlines()[0] for node in b.find_elements(By.CSS_SELECTOR, ".react-flow__node") if node.text]

    wait.until(lambda b: set(tasks) <= set(nodes(b)))
    time.sleep(3)  # the graph settles after it is drawn
    browser.save_screenshot(screenshot)
    print(json.dumps({"address": browser.current_url, "tasks": sorted(set(nodes(browser)))}))
except Exception:
    browser.save_screenshot(screenshot)
    raise
finally:
    browser.quit()
